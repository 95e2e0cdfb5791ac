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
  icon?: ComponentType
  children?: ReactNode
  action?: ReactNode
}

export function Nothing({ title, icon, children, action }: NothingProps) {
  return (
    <EmptyState titleText={title} headingLevel="h2" icon={icon} variant="lg">
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

export function Forbidden() {
  return (
    <Nothing title="You may not see this page" icon={LockIcon} action={<Link to="/servers">Go to the servers</Link>}>
      Your roles in this project do not include it. An administrator can give you more, or choose another project at the top of the page.
    </Nothing>
  )
}
