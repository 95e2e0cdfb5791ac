/** What the guest has written to its serial port, and what it writes: following brings only what is new, as it comes. */
import { useApolloClient } from '@apollo/client/react'
import { Alert, Button, Switch, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Loading, Nothing } from '../components/states.js'
import { firstText, type LogText, withPiece } from '../consoles/log-text.js'
import { problemOf } from '../lib/problem.js'
import { useLive } from '../lib/use-live.js'
import { consoleLogQuery, consoleLogSubscription } from './server.documents.js'
import type { ServerDetails } from './server-page.js'
import { refusalOf } from './use-server-actions.js'

const firstLines = 2000
/** Asking again does not change these. */
const lasting: readonly string[] = ['NOT_FOUND', 'NOT_READY', 'NOT_IMPLEMENTED', 'FORBIDDEN', 'BAD_USER_INPUT']

export function ServerLogTab({ server }: { server: ServerDetails }) {
  const refusal = refusalOf(server, 'READ_CONSOLE_LOG')
  const [follow, setFollow] = useState(true)
  const { shown, problem, refresh } = useConsoleLog(server.id, refusal === null, follow)
  const box = useRef<HTMLPreElement>(null)
  const text = shown?.text
  useEffect(() => {
    if (follow && text !== undefined && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [follow, text])

  if (refusal !== null && shown === null) return <Nothing title="The log is not available">{refusal}</Nothing>
  if (problem !== null && shown === null) {
    return (
      <Nothing title="The log is not available" action={<Button onClick={refresh}>Try again</Button>}>
        {problem}
      </Nothing>
    )
  }
  if (shown === null) return <Loading what="the log" />
  return (
    <>
      <Toolbar inset={{ default: 'insetNone' }}>
        <ToolbarContent>
          <ToolbarItem>
            <Button variant="secondary" onClick={refresh}>
              Refresh
            </Button>
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <Switch id="follow-log" label="Follow" isChecked={follow} onChange={(_event, checked) => setFollow(checked)} />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {problem !== null && <Alert component="p" isInline variant="warning" title={problem} className="kn-gap-below" />}
      {shown.isCut && <p className="kn-muted kn-small">Older lines are not shown.</p>}
      {shown.text.length <= 1 && (
        <p className="kn-muted kn-small">
          A guest that has booted and writes nothing here may not be using its serial port: on Linux, add{' '}
          <code>console=tty0 console=ttyS0,115200n8</code> to the kernel’s options.
        </p>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={box} className="kn-pre kn-log" role="log" aria-live="off" tabIndex={0} aria-label="Console log">
        {shown.text === '' ? 'The guest has written nothing yet.' : shown.text}
      </pre>
    </>
  )
}

function useConsoleLog(serverId: string, isReadable: boolean, follow: boolean) {
  const apollo = useApolloClient()
  const live = useLive()
  const [shown, setShown] = useState<LogText | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const latest = useRef<LogText | null>(null)
  const [round, setRound] = useState(0)
  /** Counts the times that everything was read; 0: not yet. Pieces of a stream from before do not belong to what is shown now. */
  const [reading, setReading] = useState(0)
  const readings = useRef(0)
  const show = useCallback((next: LogText): void => {
    latest.current = next
    setShown(next)
    setProblem(null)
  }, [])

  // biome-ignore lint/correctness/useExhaustiveDependencies: another round reads everything again
  useEffect(() => {
    if (!isReadable) return
    const stop = new AbortController()
    const read = async (): Promise<void> => {
      try {
        const variables = { id: serverId, tailLines: firstLines }
        const { data } = await apollo.query({ query: consoleLogQuery, variables, fetchPolicy: 'no-cache' })
        const log = data?.server?.consoleLog
        if (log === undefined || log === null) throw new Error('no log')
        if (stop.signal.aborted) return
        show(firstText(log))
        setReading(++readings.current)
      } catch (error) {
        if (!stop.signal.aborted) setProblem(problemOf(error).message)
      }
    }
    void read()
    return () => stop.abort()
  }, [apollo, isReadable, round, serverId, show])

  useEffect(() => {
    const from = latest.current?.endOffset
    if (!isReadable || !follow || reading === 0 || from === undefined) return
    const stop = new AbortController()
    live.follow({
      document: consoleLogSubscription,
      variables: { serverId, fromOffset: from },
      cursorOf: ({ consoleLog }) => consoleLog.endOffset,
      resume: (fromOffset) => ({ fromOffset }),
      onData: ({ consoleLog }) => {
        if (!stop.signal.aborted && reading === readings.current && latest.current !== null) show(withPiece(latest.current, consoleLog))
      },
      onGap: () => undefined,
      onEnd: (refusal) => {
        if (refusal !== null && !stop.signal.aborted) setProblem(refusal.message)
        return refusal === null || lasting.includes(refusal.code)
      },
      signal: stop.signal,
    })
    return () => stop.abort()
  }, [follow, isReadable, live, reading, serverId, show])

  const refresh = useCallback(() => setRound((before) => before + 1), [])
  return { shown, problem, refresh }
}
