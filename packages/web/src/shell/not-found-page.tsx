import { PageSection } from '@patternfly/react-core'
import { Link } from 'react-router'
import { PageTitle } from '../components/page-title.js'
import { Nothing } from '../components/states.js'
import { text } from '../text/text.js'

const words = text.shell.notFound

export function NotFoundPage() {
  return (
    <>
      <PageTitle title={words.title} />
      <PageSection hasBodyWrapper={false} aria-label={words.title}>
        <Nothing title={words.heading} action={<Link to="/servers">{words.toServers}</Link>}>
          {words.why}
        </Nothing>
      </PageSection>
    </>
  )
}
