/** What the guest has written to its serial port; following reads only what is new. */
import { useApolloClient } from '@apollo/client/react'
import { Alert, Button, Switch, Toolbar, ToolbarContent, ToolbarItem } from '@patternfly/react-core'
import { useCallback, useEffect, useRef, useState } from 'react'
import { Loading, Nothing } from '../components/states.js'
import { type Problem, problemOf } from '../lib/problem.js'
import { consoleLogQuery } from './server.documents.js'
import type { ServerDetails } from './server-page.js'
import { refusalOf } from './use-server-actions.js'

const firstLines = 2000
const followEveryMs = 2000
/** More than this is not kept in the page; the file on the host has it. */
const keptCharacters = 1_000_000

interface Shown {
  text: string
  endOffset: string
  truncated: boolean
}

export function ServerLogTab({ server }: { server: ServerDetails }) {
  const apollo = useApolloClient()
  const refusal = refusalOf(server, 'READ_CONSOLE_LOG')
  const [shown, setShown] = useState<Shown | null>(null)
  const [problem, setProblem] = useState<Problem | null>(null)
  const [follow, setFollow] = useState(true)
  const latest = useRef<Shown | null>(null)
  const box = useRef<HTMLPreElement>(null)

  const read = useCallback(
    async (from: Shown | null): Promise<void> => {
      try {
        const { data } = await apollo.query({
          query: consoleLogQuery,
          variables: { id: server.id, ...(from === null ? { tailLines: firstLines } : { fromOffset: from.endOffset }) },
          fetchPolicy: 'no-cache',
        })
        const log = data?.server?.consoleLog
        if (log === undefined || log === null) throw new Error('no log')
        // A guest that booted anew starts its log anew.
        const restarted = from !== null && BigInt(log.endOffset) < BigInt(from.endOffset)
        const before = from === null || restarted ? '' : from.text
        const next = {
          text: `${before}${log.output}`.slice(-keptCharacters),
          endOffset: log.endOffset,
          truncated: log.truncated || (from?.truncated ?? false),
        }
        latest.current = next
        setShown(next)
        setProblem(null)
      } catch (error) {
        setProblem(problemOf(error))
      }
    },
    [apollo, server.id],
  )

  useEffect(() => {
    if (refusal === null) void read(latest.current)
  }, [read, refusal])
  useEffect(() => {
    if (!follow || refusal !== null) return
    const timer = setInterval(() => {
      if (!document.hidden) void read(latest.current)
    }, followEveryMs)
    return () => clearInterval(timer)
  }, [follow, read, refusal])
  const text = shown?.text
  useEffect(() => {
    if (follow && text !== undefined && box.current !== null) box.current.scrollTop = box.current.scrollHeight
  }, [follow, text])

  if (refusal !== null && shown === null) return <Nothing title="The log is not available">{refusal}</Nothing>
  if (problem !== null && shown === null) {
    return (
      <Nothing title="The log is not available" action={<Button onClick={() => void read(null)}>Try again</Button>}>
        {problem.message}
      </Nothing>
    )
  }
  if (shown === null) return <Loading what="the log" />
  return (
    <>
      <Toolbar inset={{ default: 'insetNone' }}>
        <ToolbarContent>
          <ToolbarItem>
            <Button variant="secondary" onClick={() => void read(null)}>
              Refresh
            </Button>
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <Switch id="follow-log" label="Follow" isChecked={follow} onChange={(_event, checked) => setFollow(checked)} />
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      {problem !== null && <Alert component="p" isInline variant="warning" title={problem.message} className="kn-gap-below" />}
      {shown.truncated && <p className="kn-muted kn-small">Older lines are no longer kept.</p>}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre ref={box} className="kn-pre kn-log" role="log" aria-live="off" tabIndex={0} aria-label="Console log">
        {shown.text === '' ? 'The guest has written nothing yet.' : shown.text}
      </pre>
    </>
  )
}
