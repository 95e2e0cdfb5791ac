import { type RefObject, useEffect, useState } from 'react'

export function useFullScreen(target: RefObject<HTMLElement | null>): { isFull: boolean; toggle: () => void } {
  const [isFull, setIsFull] = useState(false)
  useEffect(() => {
    const changed = (): void => setIsFull(document.fullscreenElement === target.current && target.current !== null)
    document.addEventListener('fullscreenchange', changed)
    return () => document.removeEventListener('fullscreenchange', changed)
  }, [target])
  const toggle = (): void => {
    // A browser may refuse; the screen then simply stays as it is.
    void (isFull ? document.exitFullscreen() : target.current?.requestFullscreen())?.catch(() => undefined)
  }
  return { isFull, toggle }
}
