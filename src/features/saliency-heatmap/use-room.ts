import { type RefObject, useEffect, useState } from 'react';

export interface Room {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Device pixels a CSS pixel. */
  readonly ratio: number;
}

/** The element's inner size, followed as it changes; null before the first look. */
export function useRoom(element: RefObject<HTMLElement | null>): Room | null {
  const [room, setRoom] = useState<Room | null>(null);
  useEffect(() => {
    const { current } = element;
    if (current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      setRoom({ width, height, ratio: window.devicePixelRatio });
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return room;
}
