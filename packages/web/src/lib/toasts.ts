/** Short notices at the edge of the page, for what happened to something the user just did. */

export interface Toast {
  id: number
  variant: 'success' | 'danger' | 'info'
  title: string
  text: string | null
}

let nextId = 1
let toasts: readonly Toast[] = []
const listeners = new Set<() => void>()

const set = (next: readonly Toast[]): void => {
  toasts = next
  for (const listener of [...listeners]) listener()
}

export const toastStore = {
  subscribe: (listener: () => void): (() => void) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  },
  snapshot: (): readonly Toast[] => toasts,
}

export function showToast(variant: Toast['variant'], title: string, text: string | null = null): void {
  set([...toasts.slice(-4), { id: nextId++, variant, title, text }])
}

export function dismissToast(id: number): void {
  set(toasts.filter((toast) => toast.id !== id))
}
