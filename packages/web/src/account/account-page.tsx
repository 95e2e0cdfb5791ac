/** One's own account: the password, and keys for programs. */
import { PageSection } from '@patternfly/react-core'
import { PageTitle } from '../components/page-title.js'
import { useViewer } from '../lib/session-context.js'
import { text } from '../text/text.js'
import { Credentials } from './credentials.js'
import { PasswordForm } from './password-form.js'

const words = text.identity.account

export function AccountPage() {
  const { user, project, roles } = useViewer()
  return (
    <>
      <PageTitle title={words.title}>
        <p className="kn-muted kn-break">
          {words.about(user.name, project?.name ?? words.noProject, roles.map((role) => role.id).join(', ') || words.noRoles)}
        </p>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-labelledby="credentials-title">
        <Credentials />
      </PageSection>
      <PageSection hasBodyWrapper={false} aria-labelledby="password-title">
        <PasswordForm />
      </PageSection>
    </>
  )
}
