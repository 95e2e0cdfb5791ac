/** Says that a list lacks what a cell that does not answer would have told. */
import { Alert } from '@patternfly/react-core'
import { text } from '../text/text.js'

export function PartialNotice({ isPartial }: { isPartial: boolean }) {
  if (!isPartial) return null
  return (
    <Alert isInline component="p" variant="warning" title={text.hosts.partial} className="kn-gap-below">
      {text.hosts.partialHint}
    </Alert>
  )
}
