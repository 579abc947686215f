import { showVerification } from '../../stores/verify-store.ts';
import { Button } from '../../ui/Button.tsx';

/** The way in from anywhere, with or without a model open. */
export function VerifyButton() {
  return <Button onClick={() => showVerification()}>Verify a pruned model</Button>;
}
