/** Changes one's own password; this session goes on, the others end. */
import { Alert, Button, Form, FormGroup, Title } from '@patternfly/react-core'
import { type FormEvent, useRef, useState } from 'react'
import { TextField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { useSessionStore, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { text } from '../text/text.js'

const words = text.identity.account
const leastLength = 8
type Field = 'current' | 'next' | 'repeat'
const noErrors: FormErrors<Field> = { fields: {}, general: null }
const fieldFor = (path: string): Field | null =>
  path === 'input.currentPassword' ? 'current' : path === 'input.newPassword' || path === 'newPassword' ? 'next' : null

export function PasswordForm() {
  const session = useSessionStore()
  const { user } = useViewer()
  const form = useRef<HTMLFormElement>(null)
  const [current, setCurrent] = useState('')
  const [next, setNext] = useState('')
  const [repeat, setRepeat] = useState('')
  const [errors, setErrors] = useState(noErrors)
  const [busy, setBusy] = useState(false)

  const check = (): FormErrors<Field>['fields'] => ({
    ...(current === '' ? { current: words.currentMissing } : {}),
    ...(next.length < leastLength
      ? { next: words.tooShort }
      : next === current
        ? { next: words.same }
        : next === repeat
          ? {}
          : { repeat: words.notTheSame }),
  })
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found = check()
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    setBusy(true)
    try {
      await session.changePassword(current, next)
      for (const empty of [setCurrent, setNext, setRepeat]) empty('')
      setBusy(false)
      showToast('success', words.changed)
    } catch (error) {
      showErrors(form.current, () => {
        setErrors(formErrors(error, fieldFor))
        setBusy(false)
      })
    }
  }
  return (
    <>
      <Title headingLevel="h2" size="lg" id="password-title">
        {words.changePassword}
      </Title>
      <p className="kn-muted kn-gap-below">{words.changeHint}</p>
      <Form ref={form} onSubmit={(event) => void submit(event)} noValidate isWidthLimited>
        {errors.general !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} />}
        {/* Tells password managers whose password this is. */}
        <input type="text" autoComplete="username" value={user.name} readOnly hidden />
        <TextField
          id="current-password"
          label={words.current}
          type="password"
          autoComplete="current-password"
          isRequired
          value={current}
          onChange={setCurrent}
          error={errors.fields.current}
        />
        <TextField
          id="new-password"
          label={words.next}
          type="password"
          autoComplete="new-password"
          isRequired
          value={next}
          onChange={setNext}
          error={errors.fields.next}
          help={words.help}
        />
        <TextField
          id="repeat-password"
          label={words.repeat}
          type="password"
          autoComplete="new-password"
          isRequired
          value={repeat}
          onChange={setRepeat}
          error={errors.fields.repeat}
        />
        <FormGroup>
          <Button type="submit" isDisabled={busy} isLoading={busy}>
            {words.changePassword}
          </Button>
        </FormGroup>
      </Form>
    </>
  )
}
