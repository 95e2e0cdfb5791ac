import { PageSection } from '@patternfly/react-core'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Nothing } from '../components/states.js'

export function NotFoundPage() {
  return (
    <>
      <PageTitle title="Page not found" />
      <PageSection hasBodyWrapper={false} aria-label="Page not found">
        <Nothing title="There is nothing here" action={<Link to="/servers">Go to the servers</Link>}>
          The address may be mistyped, or the thing it named may be gone.
        </Nothing>
      </PageSection>
    </>
  )
}
