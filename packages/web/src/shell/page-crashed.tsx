/** A page that failed: a chunk that cannot be loaded after an upgrade, or a defect. Says so, and offers the ways on. */
import { Button, ExpandableSection, PageSection } from '@patternfly/react-core'
import { isRouteErrorResponse, Link, useNavigate, useRouteError } from 'react-router'
import { useDocumentTitle } from '../components/page-title.js'
import { Nothing } from '../components/states.js'
import { text } from '../text/text.js'

const words = text.shell.crashed

export function PageCrashed() {
  const error = useRouteError()
  const navigate = useNavigate()
  useDocumentTitle(words.title)
  const told = isRouteErrorResponse(error) ? error.statusText : error instanceof Error ? error.message : ''
  return (
    <PageSection hasBodyWrapper={false} aria-label={words.title}>
      <Nothing
        title={words.title}
        headingLevel="h1"
        action={
          <>
            <Button onClick={() => location.reload()}>{words.reload}</Button>
            <Button variant="secondary" onClick={() => void navigate(-1)}>
              {words.back}
            </Button>
            <Link to="/servers">{text.shell.notFound.toServers}</Link>
          </>
        }
      >
        {words.why}
        {told !== '' && (
          <ExpandableSection toggleText={words.details}>
            <code className="kn-break">{told}</code>
          </ExpandableSection>
        )}
      </Nothing>
    </PageSection>
  )
}
