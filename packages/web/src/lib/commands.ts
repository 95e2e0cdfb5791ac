/** What can be done on the page in sight, as the command palette offers it: a page registers its commands while it is shown. */
import { useEffect, useRef, useSyncExternalStore } from 'react'

export interface Command {
  label: string
  run: () => void
  /** Why it cannot be done now. */
  disabledReason?: string | null | undefined
}

export interface CommandGroup {
  /** What the commands act on, for example the name of a server. */
  title: string
  commands: readonly Command[]
}

let groups: readonly (() => CommandGroup)[] = []
const listeners = new Set<() => void>()
const set = (next: typeof groups): void => {
  groups = next
  for (const listener of [...listeners]) listener()
}
const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
const snapshot = (): typeof groups => groups

/** Offers commands while the calling component is mounted. */
export function usePageCommands(group: CommandGroup): void {
  const latest = useRef(group)
  useEffect(() => {
    latest.current = group
  })
  useEffect(() => {
    const read = (): CommandGroup => latest.current
    set([...groups, read])
    return () => set(groups.filter((one) => one !== read))
  }, [])
}

/** The commands of the page in sight, as they are at the moment of asking. */
export function useCommandGroups(): CommandGroup[] {
  return useSyncExternalStore(subscribe, snapshot).map((read) => read())
}
