/** Whether a user or a project is enabled. */
import { Label } from '@patternfly/react-core'
import { text } from '../text/text.js'

export const StandingLabel = ({ enabled }: { enabled: boolean }) =>
  enabled ? <Label status="success">{text.identity.enabled}</Label> : <Label status="warning">{text.identity.disabled}</Label>
