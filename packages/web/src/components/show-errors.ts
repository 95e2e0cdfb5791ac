/** After a refused submit the focus goes to the first field at fault, wherever it is on the page. */
import { flushSync } from 'react-dom'

/**
 * Shows what is wrong and moves the focus, both before anything else can happen: whoever goes on typing in another field
 * is never pulled back.
 *
 * @param show sets the state that renders the messages
 */
export function showErrors(form: HTMLElement | null, show: () => void): void {
  flushSync(show)
  const field = form?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid="true"]')
  field?.focus()
  field?.scrollIntoView({ block: 'center' })
}
