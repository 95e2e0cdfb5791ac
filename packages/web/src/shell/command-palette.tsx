/** Everything in reach of the keyboard: Ctrl-K or Cmd-K, type, choose with the arrows, Enter. */
import { Modal } from '@patternfly/react-core'
import { type KeyboardEvent as ReactKeyboardEvent, useEffect, useId, useState } from 'react'
import { flushSync } from 'react-dom'
import { problemOf } from '../lib/problem.js'
import { text } from '../text/text.js'
import { type PaletteItem, usePaletteItems } from './use-palette-items.js'

const words = text.shell.palette
const openEvent = 'kilonova-open-palette'

export const openPalette = (): void => void window.dispatchEvent(new Event(openEvent))

export function CommandPalette() {
  const [open, setOpen] = useState(false)
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      // A console takes every key, and a dialog holds what would be lost by going elsewhere.
      if (event.defaultPrevented || (event.target instanceof Element && event.target.closest('.kn-console') !== null)) return
      if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return
      event.preventDefault()
      // At once: the next key is meant for the palette.
      flushSync(() => setOpen(true))
    }
    const onAsked = (): void => setOpen(true)
    window.addEventListener('keydown', onKey)
    window.addEventListener(openEvent, onAsked)
    return () => {
      window.removeEventListener('keydown', onKey)
      window.removeEventListener(openEvent, onAsked)
    }
  }, [])
  return open ? <Palette close={() => setOpen(false)} /> : null
}

const takeFocus = (input: HTMLInputElement | null): void => input?.focus()

function Palette({ close }: { close: () => void }) {
  const id = useId()
  const [typed, setTyped] = useState('')
  const [chosenKey, setChosenKey] = useState<string | null>(null)
  const { items, searching, error } = usePaletteItems(typed)
  const chosen = Math.max(
    items.findIndex((item) => item.key === chosenKey),
    0,
  )
  const chosenItem = items[chosen]
  const optionId = (index: number): string => `${id}-${index}`

  useEffect(() => {
    document.getElementById(`${id}-${chosen}`)?.scrollIntoView({ block: 'nearest' })
  }, [id, chosen])

  const run = (item: PaletteItem): void => {
    if (item.isDisabled) return
    flushSync(close)
    // The closed dialog first gives the focus back; then the page that comes may take it.
    setTimeout(item.run)
  }
  const onKeyDown = (event: ReactKeyboardEvent): void => {
    const last = items.length - 1
    const to = { ArrowDown: chosen === last ? 0 : chosen + 1, ArrowUp: chosen === 0 ? last : chosen - 1 }[event.key]
    if (to !== undefined) {
      event.preventDefault()
      setChosenKey(items[to]?.key ?? null)
    } else if (event.key === 'Enter' && chosenItem !== undefined) {
      event.preventDefault()
      run(chosenItem)
    }
  }
  const said =
    items.length > 0
      ? words.found(items.length)
      : searching
        ? words.searching
        : error === undefined
          ? words.nothing
          : words.failed(problemOf(error).message)
  return (
    <Modal
      isOpen
      variant="medium"
      position="top"
      aria-label={words.title}
      onClose={close}
      elementToFocus={`#${CSS.escape(id)}`}
      className="kn-palette"
    >
      <input
        id={id}
        ref={takeFocus}
        className="kn-palette-input"
        role="combobox"
        aria-label={words.title}
        aria-expanded={items.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={chosenItem === undefined ? undefined : optionId(chosen)}
        placeholder={words.placeholder}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => {
          setTyped(event.target.value)
          setChosenKey(null)
        }}
        onKeyDown={onKeyDown}
      />
      <div id={`${id}-list`} role="listbox" aria-label={words.results} className="kn-palette-list">
        {Object.entries(Object.groupBy(items, (item) => item.group)).map(([group, inGroup = []]) => (
          // biome-ignore lint/a11y/useSemanticElements: a group of options, not of form fields
          <div key={group} role="group" aria-label={group}>
            <div className="kn-palette-group" aria-hidden="true">
              {group}
            </div>
            {inGroup.map((item) => {
              const index = items.indexOf(item)
              return (
                // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the input's, which keeps the focus
                // biome-ignore lint/a11y/useFocusableInteractive: chosen by aria-activedescendant
                <div
                  key={item.key}
                  id={optionId(index)}
                  role="option"
                  aria-selected={index === chosen}
                  aria-disabled={item.isDisabled}
                  className="kn-palette-item"
                  onMouseMove={() => setChosenKey(item.key)}
                  onClick={() => run(item)}
                >
                  <span className="kn-break">{item.label}</span>
                  {item.note !== null && <span className="kn-muted kn-small">{item.note}</span>}
                </div>
              )
            })}
          </div>
        ))}
      </div>
      <div role="status" className="kn-palette-note kn-muted kn-small">
        {items.length > 0 && searching ? words.searching : said} {words.keys}
      </div>
    </Modal>
  )
}
