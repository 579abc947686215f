import type { ButtonHTMLAttributes, Ref } from 'react';
import styles from './Button.module.css';

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly look?: 'primary' | 'secondary' | 'quiet';
  readonly size?: 'normal' | 'large';
  readonly ref?: Ref<HTMLButtonElement>;
}

export function Button({ look = 'secondary', size = 'normal', className, ...rest }: ButtonProps) {
  const classes = [styles.button, styles[look], size === 'large' ? styles.large : '', className ?? ''];
  return <button type="button" className={classes.join(' ')} {...rest} />;
}
