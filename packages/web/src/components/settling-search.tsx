/** A search whose text takes effect once the typing pauses; typing itself draws nothing but the field. */
import { SearchInput } from '@patternfly/react-core'
import { useEffect, useRef, useState } from 'react'

const pauseMs = 250

interface SettlingSearchProps {
  label: string
  placeholder: string
  value: string
  onChange: (value: string) => void
  isNarrow?: boolean
}

export function SettlingSearch({ label, placeholder, value, onChange, isNarrow = false }: SettlingSearchProps) {
  const [typed, setTyped] = useState(value)
  const sent = useRef(value)
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange
  })
  // What comes from elsewhere, the back button for one, replaces what was typed; an echo of the typing does not.
  useEffect(() => {
    if (value === sent.current) return
    sent.current = value
    setTyped(value)
  }, [value])
  useEffect(() => {
    if (typed.trim() === sent.current) return
    const timer = setTimeout(() => {
      sent.current = typed.trim()
      latest.current(sent.current)
    }, pauseMs)
    return () => clearTimeout(timer)
  }, [typed])
  return (
    <SearchInput
      aria-label={label}
      placeholder={placeholder}
      value={typed}
      onChange={(_event, text) => setTyped(text)}
      onClear={() => setTyped('')}
      className={isNarrow ? 'kn-narrow-search' : ''}
    />
  )
}
