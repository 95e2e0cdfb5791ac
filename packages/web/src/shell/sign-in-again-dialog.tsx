/**
 * Over a page whose login has ended: the page keeps what was typed, and what it had sent is sent again once the same user has signed
 * in. It cannot be closed but by signing in or by leaving, which drops everything.
 */
import { Alert, Button, Form, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { TextField } from '../components/fields.js'
import { showErrors } from '../components/show-errors.js'
import { dropDrafts } from '../launch/draft.js'
import { problemOf } from '../lib/problem.js'
import { useSessionStore, useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'

const words = text.shell.signInAgain

export function SignInAgainDialog() {
  const store = useSessionStore()
  const { user } = useViewer()
  const form = useRef<HTMLFormElement>(null)
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const mounted = useRef(true)
  const focusPassword = (): void => form.current?.querySelector<HTMLInputElement>('#password-again')?.focus()
  useEffect(() => {
    mounted.current = true
    return () => {
      mounted.current = false
    }
  }, [])

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    // The dialog hangs, as React sees it, below the page; its form is nobody else's.
    event.stopPropagation()
    setFailure(null)
    if (password === '') return showErrors(form.current, () => setMissing(true))
    setMissing(false)
    setBusy(true)
    try {
      await store.signInAgain(password)
    } catch (error) {
      if (!mounted.current) return
      setFailure(problemOf(error).message)
      setBusy(false)
      focusPassword()
    }
  }
  return (
    <Modal
      isOpen
      variant="small"
      aria-labelledby="sign-in-again-title"
      aria-describedby="sign-in-again-why"
      elementToFocus="#password-again"
      onEscapePress={() => undefined}
    >
      <ModalHeader title={words.title} labelId="sign-in-again-title" />
      <ModalBody>
        <p id="sign-in-again-why" className="kn-gap-below">
          {words.why(user.name)}
        </p>
        <Form id="sign-in-again" ref={form} onSubmit={(event) => void submit(event)} noValidate>
          {failure !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={failure} />}
          {/* For password managers, which fill in what belongs to a name. */}
          <input type="text" name="username" autoComplete="username" value={user.name} readOnly hidden />
          <TextField
            id="password-again"
            label={text.shell.signIn.password}
            type="password"
            value={password}
            onChange={setPassword}
            isRequired
            autoComplete="current-password"
            error={missing && password === '' ? text.shell.signIn.passwordMissing : undefined}
          />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="sign-in-again" isDisabled={busy} isLoading={busy}>
          {text.shell.signIn.submit}
        </Button>
        <Button
          variant="link"
          onClick={() => {
            dropDrafts()
            store.leave()
          }}
        >
          {words.leave}
        </Button>
      </ModalFooter>
    </Modal>
  )
}
