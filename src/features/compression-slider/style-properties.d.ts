import 'react';

declare module 'react' {
  interface CSSProperties {
    '--filled'?: number;
    '--possible'?: number;
    '--place'?: number;
  }
}
