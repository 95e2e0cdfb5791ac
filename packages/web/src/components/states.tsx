/** What a page shows while it has nothing to show: loading, empty, failed. */
import {
  Alert,
  AlertActionLink,
  Bullseye,
  Button,
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
  Spinner,
} from '@patternfly/react-core'
import LockIcon from '@patternfly/react-icons/dist/esm/icons/lock-icon'
import SearchIcon from '@patternfly/react-icons/dist/esm/icons/search-icon'
import type { ComponentType, ReactNode } from 'react'
import { Link } from 'react-router'
import { problemOf } from '../lib/problem.js'
import { useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'

export function Loading({ what }: { what: string }) {
  return (
    <Bullseye className="kn-loading">
      <Spinner aria-label={`Loading ${what}`} />
    </Bullseye>
  )
}

export function ErrorNotice({ what, error, retry }: { what: string; error: unknown; retry?: () => void }) {
  const problem = problemOf(error)
  return (
    <Alert
      isInline
      variant="danger"
      title={`${what} could not be loaded.`}
      component="h2"
      actionLinks={retry === undefined ? undefined : <AlertActionLink onClick={retry}>Try again</AlertActionLink>}
    >
      {problem.message}
      {problem.requestId !== null && <span className="kn-muted"> Request {problem.requestId}.</span>}
    </Alert>
  )
}

interface NothingProps {
  title: string
  /** Below the heading of the page, unless it is that heading. */
  headingLevel?: 'h1' | 'h2' | 'h3'
  icon?: ComponentType
  children?: ReactNode
  action?: ReactNode
}

export function Nothing({ title, headingLevel = 'h2', icon, children, action }: NothingProps) {
  return (
    <EmptyState titleText={title} headingLevel={headingLevel} icon={icon} variant="lg">
      {children !== undefined && <EmptyStateBody>{children}</EmptyStateBody>}
      {action !== undefined && (
        <EmptyStateFooter>
          <EmptyStateActions>{action}</EmptyStateActions>
        </EmptyStateFooter>
      )}
    </EmptyState>
  )
}

/** A filter that matches nothing is not an empty project. */
export function NothingMatches({ what, clear }: { what: string; clear: () => void }) {
  return (
    <Nothing
      title={`No ${what} match`}
      icon={SearchIcon}
      action={
        <Button variant="link" onClick={clear}>
          Clear filters
        </Button>
      }
    >
      Change the filters to see more.
    </Nothing>
  )
}

/** Says which roles the viewer has, so that they know what to ask for. */
export function Forbidden() {
  const { roles, project } = useViewer()
  const words = text.shell.forbidden
  return (
    <Nothing title={words.heading} icon={LockIcon} action={<Link to="/servers">{text.shell.notFound.toServers}</Link>}>
      {words.why(
        roles.map((role) => role.id),
        project?.name ?? words.noProject,
      )}
    </Nothing>
  )
}
