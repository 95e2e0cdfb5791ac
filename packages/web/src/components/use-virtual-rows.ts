/**
 * Long tables: only the rows in sight are in the document, with empty room above and below for the others. Short tables are whole, so
 * that the browser's own search finds everything in them.
 */
import { useVirtualizer } from '@tanstack/react-virtual'
import { useLayoutEffect, useRef, useState } from 'react'

/** Up to so many rows are simply there. */
const wholeUpTo = 100
const roughRowPx = 53
/** Rows beyond the edges, so that Tab always finds a next one. */
const overscan = 8

/** The part of the page that scrolls. */
const scroller = (): HTMLElement | null => document.getElementById('main')

export interface VirtualRows {
  /** Put on the table's body. */
  bodyRef: React.RefObject<HTMLTableSectionElement | null>
  /** Null: all rows, unmeasured. */
  rows: { index: number; measure: (element: HTMLElement | null) => void }[] | null
  roomAbovePx: number
  roomBelowPx: number
}

export function useVirtualRows(count: number, keyOf: (index: number) => string): VirtualRows {
  const bodyRef = useRef<HTMLTableSectionElement>(null)
  const [offsetPx, setOffsetPx] = useState(0)
  const isLong = count > wholeUpTo
  useLayoutEffect(() => {
    const body = bodyRef.current
    const main = scroller()
    if (!isLong || body === null || main === null) return
    // The filters above the table grow and shrink.
    const measure = (): void => setOffsetPx(body.getBoundingClientRect().top - main.getBoundingClientRect().top + main.scrollTop)
    const watch = new ResizeObserver(measure)
    watch.observe(main)
    const above = body.closest('section')?.firstElementChild
    if (above !== null && above !== undefined) watch.observe(above)
    measure()
    return () => watch.disconnect()
  }, [isLong])
  const virtualizer = useVirtualizer({
    count,
    enabled: isLong,
    getScrollElement: scroller,
    estimateSize: () => roughRowPx,
    getItemKey: keyOf,
    scrollMargin: offsetPx,
    overscan,
    // Rows are measured where they are; waiting for a frame keeps the observer from complaining about its own effect.
    useAnimationFrameWithResizeObserver: true,
  })
  if (!isLong) return { bodyRef, rows: null, roomAbovePx: 0, roomBelowPx: 0 }
  const items = virtualizer.getVirtualItems()
  const [first] = items
  const last = items.at(-1)
  return {
    bodyRef,
    rows: items.map(({ index }) => ({ index, measure: virtualizer.measureElement })),
    roomAbovePx: first === undefined ? 0 : first.start - offsetPx,
    roomBelowPx: last === undefined ? virtualizer.getTotalSize() : virtualizer.getTotalSize() - (last.end - offsetPx),
  }
}
