/** Signing in; afterwards back to where the user wanted to go. */
import { ActionGroup, Alert, Button, Card, CardBody, Form, Title } from '@patternfly/react-core'
import { type FormEvent, useRef, useState } from 'react'
import { Navigate, useSearchParams } from 'react-router'
import { TextField } from '../components/fields.js'
import { useDocumentTitle } from '../components/page-title.js'
import { showErrors } from '../components/show-errors.js'
import { safeNext } from '../lib/own-origin.js'
import { problemOf } from '../lib/problem.js'
import { useSession, useSessionStore } from '../lib/session-context.js'
import { text } from '../text/text.js'

const words = text.shell.signIn

export function SignInPage() {
  const store = useSessionStore()
  const session = useSession()
  const [search] = useSearchParams()
  const form = useRef<HTMLFormElement>(null)
  const [username, setUsername] = useState('')
  const [password, setPassword] = useState('')
  const [missing, setMissing] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  useDocumentTitle(words.title)

  if (session.phase === 'signed-in') return <Navigate to={safeNext(search.get('next'))} replace />

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    setFailure(null)
    if (username === '' || password === '') return showErrors(form.current, () => setMissing(true))
    setMissing(false)
    setBusy(true)
    try {
      await store.signIn(username, password)
    } catch (error) {
      setFailure(problemOf(error).message)
      setBusy(false)
      form.current?.querySelector<HTMLInputElement>('#password')?.focus()
    }
  }
  return (
    <main className="kn-sign-in">
      <Card className="kn-sign-in-card">
        <CardBody>
          <img src="/favicon.svg" alt="" width={48} height={48} />
          <Title headingLevel="h1" size="2xl" className="kn-gap-below">
            {words.heading}
          </Title>
          {session.phase === 'unreachable' && failure === null && (
            <Alert component="p" isInline variant="warning" title={session.message} className="kn-gap-below" />
          )}
          <Form ref={form} onSubmit={(event) => void submit(event)} noValidate>
            {failure !== null && <Alert component="p" isInline isLiveRegion variant="danger" title={failure} />}
            <TextField
              id="username"
              label={words.userName}
              value={username}
              onChange={setUsername}
              isRequired
              autoComplete="username"
              error={missing && username === '' ? words.userNameMissing : undefined}
            />
            <TextField
              id="password"
              label={words.password}
              type="password"
              value={password}
              onChange={setPassword}
              isRequired
              autoComplete="current-password"
              error={missing && password === '' ? words.passwordMissing : undefined}
            />
            <ActionGroup>
              <Button type="submit" isBlock isDisabled={busy} isLoading={busy}>
                {words.submit}
              </Button>
            </ActionGroup>
          </Form>
        </CardBody>
      </Card>
    </main>
  )
}
