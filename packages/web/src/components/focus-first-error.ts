/** After a refused submit the focus goes to the first field at fault, wherever it is on the page. */

export function focusFirstError(form: HTMLElement | null): void {
  // The messages are rendered by the update this is called from.
  requestAnimationFrame(() => {
    const field = form?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid="true"]')
    field?.focus()
    field?.scrollIntoView({ block: 'center' })
  })
}
