/** One key pair of the viewer. */
import { useQuery } from '@apollo/client/react'
import { Button, ClipboardCopy, ClipboardCopyVariant, PageSection } from '@patternfly/react-core'
import { useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Details } from '../components/details.js'
import { NotYet, WayBack } from '../components/one-thing-page.js'
import { PageTitle } from '../components/page-title.js'
import { Time } from '../components/time.js'
import { useMay } from '../lib/session-context.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import { DeleteKeypairDialog } from './delete-keypair-dialog.js'
import { keypairQuery } from './keypair.documents.js'

const words = text.keypairs

export function KeypairPage() {
  const { name = '' } = useParams()
  return <OneKeypair key={name} name={name} />
}

function OneKeypair({ name }: { name: string }) {
  const navigate = useNavigate()
  const mayDelete = useMay('os_compute_api:os-keypairs:delete')
  const [deleting, setDeleting] = useState(false)
  const { data, error, refetch } = useQuery(keypairQuery, { variables: { name } })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'KEYPAIR',
  )
  const keypair = data?.keypair
  if (keypair == null) return <NotYet words={words} listPath="/keypairs" thing={keypair} error={error} retry={() => void refetch()} />
  return (
    <>
      <WayBack label={words.whereYouAre} listName={words.title} listPath="/keypairs" name={name} />
      <PageTitle
        title={name}
        actions={
          <Button variant="secondary" isDanger isDisabled={!mayDelete} onClick={() => setDeleting(true)}>
            {words.delete.action}
          </Button>
        }
      />
      <PageSection hasBodyWrapper={false} aria-label={words.details}>
        <Details
          rows={[
            [words.kind, words.kinds[keypair.type]],
            [
              words.fingerprint,
              <span key="fingerprint" className="kn-mono">
                {keypair.fingerprint}
              </span>,
            ],
            [words.created, <Time key="created" value={keypair.createdAt} />],
            [
              words.publicKey,
              <ClipboardCopy
                key="public-key"
                isReadOnly
                isExpanded
                variant={ClipboardCopyVariant.expansion}
                hoverTip={words.copyPublicKey}
                clickTip={words.private.copied}
                textAriaLabel={words.publicKey}
                toggleAriaLabel={words.publicKey}
              >
                {keypair.publicKey}
              </ClipboardCopy>,
            ],
          ]}
        />
      </PageSection>
      {deleting && (
        <DeleteKeypairDialog name={name} onClose={() => setDeleting(false)} onDeleted={() => navigate('/keypairs', { replace: true })} />
      )}
    </>
  )
}
