/** Limits of one project, or the defaults of all; for administrators. */
import { useMutation, useQuery } from '@apollo/client/react'
import { PageSection } from '@patternfly/react-core'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { ConfirmDialog } from '../components/confirm-dialog.js'
import { PageTitle } from '../components/page-title.js'
import { ErrorNotice, Forbidden, Loading } from '../components/states.js'
import { randomKey } from '../lib/keys.js'
import { problemOf } from '../lib/problem.js'
import { useMay } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { text } from '../text/text.js'
import {
  defaultQuotaQuery,
  projectQuotaQuery,
  resetQuotaMutation,
  updateDefaultQuotaMutation,
  updateQuotaMutation,
} from './quota.documents.js'
import { QuotaForm } from './quota-form.js'

const words = text.quotas.edit
const back = <Link to="/admin/quotas">{words.allProjects}</Link>

/** Whoever sees that something was changed meanwhile needs the new values to go on. */
async function orFetchAgain(work: Promise<unknown>, refetch: () => Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    if (problemOf(error).code === 'GENERATION_MISMATCH') await refetch()
    throw error
  }
}

function ProjectQuota({ projectId }: { projectId: string }) {
  const [resetting, setResetting] = useState(false)
  const [update] = useMutation(updateQuotaMutation)
  const [reset] = useMutation(resetQuotaMutation)
  const { data, error, refetch } = useQuery(projectQuotaQuery, { variables: { projectId }, fetchPolicy: 'cache-and-network' })
  useLiveRefetch(
    () => refetch(),
    (signal) => signal.topic === 'server',
  )
  const set = data?.quotaSet
  const name = set?.project?.name ?? projectId
  const byDefault = new Map(data?.quotaDefaults.items.map((item) => [item.resource, item.limit]))
  return (
    <>
      <PageTitle title={set === undefined ? words.ofUnknown : words.ofProject(name)} actions={back} />
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        {set === undefined ? (
          error === undefined ? (
            <Loading what={text.quotas.what} />
          ) : (
            <ErrorNotice what={text.quotas.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : (
          <QuotaForm
            items={set.items.map((item) => ({ ...item, byDefault: byDefault.get(item.resource) ?? null }))}
            hasUse
            onReset={() => setResetting(true)}
            generation={set.generation}
            save={async (limits, generation, force) => {
              const input = { projectId, limits, force, expectedGeneration: generation, idempotencyKey: randomKey() }
              await orFetchAgain(update({ variables: { input } }), refetch)
              showToast('success', words.savedOf(name))
              await refetch()
            }}
          />
        )}
      </PageSection>
      {resetting && (
        <ConfirmDialog
          title={words.resetTitle}
          confirmLabel={words.resetConfirm}
          onClose={() => setResetting(false)}
          onConfirm={async () => {
            await reset({ variables: { input: { projectId, idempotencyKey: randomKey() } } })
            showToast('success', words.resetDone(name))
            await refetch()
          }}
        >
          <p className="kn-break">{words.resetHint(name)}</p>
        </ConfirmDialog>
      )}
    </>
  )
}

function DefaultQuota() {
  const [update] = useMutation(updateDefaultQuotaMutation)
  const { data, error, refetch } = useQuery(defaultQuotaQuery, { fetchPolicy: 'cache-and-network' })
  const set = data?.quotaClassSet
  return (
    <>
      <PageTitle title={words.ofDefaults} actions={back}>
        <p className="kn-muted">{words.aboutDefaults}</p>
      </PageTitle>
      <PageSection hasBodyWrapper={false} aria-label={words.region}>
        {set === undefined ? (
          error === undefined ? (
            <Loading what={text.quotas.what} />
          ) : (
            <ErrorNotice what={text.quotas.notLoaded} error={error} retry={() => void refetch()} />
          )
        ) : (
          <QuotaForm
            items={set.items.map((item) => ({ ...item, byDefault: null }))}
            hasUse={false}
            onReset={null}
            generation={set.generation}
            save={async (limits, generation) => {
              const input = { className: 'default', limits, expectedGeneration: generation, idempotencyKey: randomKey() }
              await orFetchAgain(update({ variables: { input } }), refetch)
              showToast('success', words.savedDefaults)
              await refetch()
            }}
          />
        )}
      </PageSection>
    </>
  )
}

function NotAllowed({ title }: { title: string }) {
  return (
    <>
      <PageTitle title={title} />
      <Forbidden />
    </>
  )
}

export function ProjectQuotaPage() {
  const { projectId = '' } = useParams()
  const may = useMay('os_compute_api:os-quota-sets:update')
  return may ? <ProjectQuota key={projectId} projectId={projectId} /> : <NotAllowed title={words.ofUnknown} />
}

export function DefaultQuotaPage() {
  const may = useMay('os_compute_api:os-quota-class-sets:update')
  return may ? <DefaultQuota /> : <NotAllowed title={words.ofDefaults} />
}
