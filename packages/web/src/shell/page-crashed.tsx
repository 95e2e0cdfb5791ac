/** A page that failed: a chunk that cannot be loaded after an upgrade, or a defect. Says so, and offers the way on. */
import { Button, PageSection } from '@patternfly/react-core'
import { isRouteErrorResponse, useRouteError } from 'react-router'
import { Nothing } from '../components/states.js'

export function PageCrashed() {
  const error = useRouteError()
  const text = isRouteErrorResponse(error) ? error.statusText : error instanceof Error ? error.message : ''
  return (
    <PageSection hasBodyWrapper={false} aria-label="Error">
      <Nothing title="This page could not be shown" action={<Button onClick={() => location.reload()}>Reload</Button>}>
        The dashboard may have been upgraded, or met an error. {text}
      </Nothing>
    </PageSection>
  )
}
