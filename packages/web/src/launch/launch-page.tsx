/** Launching servers: one page, everything in sight, errors beside what they are about. */
import { useQuery } from '@apollo/client/react'
import { Alert, Button, Card, CardBody, CardTitle, Checkbox, Form, FormGroup, Grid, GridItem, PageSection } from '@patternfly/react-core'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { useNavigate } from 'react-router'
import { TextField } from '../components/fields.js'
import { KeyValueRows } from '../components/key-value-rows.js'
import { PageTitle } from '../components/page-title.js'
import { showErrors } from '../components/show-errors.js'
import { ErrorNotice, Forbidden, Loading } from '../components/states.js'
import { flavorsQuery } from '../flavors/flavor.documents.js'
import { imageQuery } from '../images/image.documents.js'
import { type FormErrors, formErrors } from '../lib/problem.js'
import { useMay, useViewer } from '../lib/session-context.js'
import { showToast } from '../lib/toasts.js'
import { useLiveRefetch } from '../lib/use-live.js'
import { rememberLaunched } from '../servers/launched.js'
import { text } from '../text/text.js'
import { type Draft, type DraftField, dropDrafts, emptyDraft, keepDraft, readDraft } from './draft.js'
import { FlavorPicker } from './flavor-picker.js'
import { ImagePicker } from './image-picker.js'
import { KeypairPicker } from './keypair-picker.js'
import { zonesQuery } from './launch.documents.js'
import { checkDraft, countLimit, fieldFor, namePreview } from './launch-input.js'
import { LaunchSummary } from './launch-summary.js'
import { NetworkPicker } from './network-picker.js'
import { useLaunch } from './use-launch.js'
import { UserDataField } from './user-data-field.js'

const words = text.launch

const noErrors: FormErrors<DraftField> = { fields: {}, general: null }
/** As many flavors as a page of the API holds; a cloud has tens. */
const flavorsAtOnce = 1000

export function LaunchPage() {
  const may = useMay('os_compute_api:servers:create')
  if (!may) {
    return (
      <>
        <PageTitle title={words.title} />
        <Forbidden />
      </>
    )
  }
  return <LaunchForm />
}

function LaunchForm() {
  const viewer = useViewer()
  const owner = `${viewer.user.id}.${viewer.project?.id ?? ''}`
  const navigate = useNavigate()
  const form = useRef<HTMLFormElement>(null)
  const [draft, setDraft] = useState(() => readDraft(owner))
  const [errors, setErrors] = useState(noErrors)
  const { launch, busy } = useLaunch()

  const flavorsResult = useQuery(flavorsQuery, { variables: { first: flavorsAtOnce, orderBy: [{ key: 'RAM_MB', direction: 'ASC' }] } })
  useLiveRefetch(
    () => flavorsResult.refetch(),
    (signal) => signal.topic === 'object' && signal.subject === 'FLAVOR',
  )
  const imageResult = useQuery(imageQuery, { variables: { id: draft.imageId ?? '' }, skip: draft.imageId === null })
  const defaultZone = useQuery(zonesQuery).data?.systemInfo.capabilities.defaultAvailabilityZone
  const flavors = flavorsResult.data?.flavors.nodes
  const image = (draft.imageId === null ? null : imageResult.data?.image) ?? null
  const flavor = flavors?.find((one) => one.id === draft.flavorId) ?? null

  useEffect(() => keepDraft(owner, draft), [owner, draft])

  /** What is changed is no longer wrong until it is looked at again. */
  const change = (part: Partial<Draft>, ...fields: DraftField[]): void => {
    setDraft((before) => ({ ...before, ...part }))
    setErrors((before) => ({
      general: before.general,
      fields: Object.fromEntries(Object.entries(before.fields).filter(([field]) => !fields.includes(field as DraftField))),
    }))
  }

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault()
    const found = checkDraft(draft)
    if (Object.keys(found).length > 0) return showErrors(form.current, () => setErrors({ fields: found, general: null }))
    setErrors(noErrors)
    try {
      const made = await launch(draft)
      dropDrafts()
      if (made.adminPassword !== null) rememberLaunched(made.server.id, { adminPassword: made.adminPassword, count: made.servers.length })
      showToast('info', words.launching(draft.name.trim(), made.servers.length))
      await navigate(`/servers/${made.server.id}`)
    } catch (error) {
      showErrors(form.current, () => setErrors(formErrors(error, fieldFor)))
    }
  }

  const problems = Object.keys(errors.fields).length
  return (
    <>
      <PageTitle title={words.title} />
      <PageSection hasBodyWrapper={false} aria-label={words.newServer}>
        <Form ref={form} onSubmit={(event) => void submit(event)} noValidate className="kn-launch">
          <div>
            <Card isCompact className="kn-gap-below">
              <CardTitle component="h2">{words.fields.name}</CardTitle>
              <CardBody>
                <Grid hasGutter>
                  <GridItem sm={8}>
                    <TextField
                      id="launch-name"
                      label={words.fields.name}
                      value={draft.name}
                      onChange={(name) => change({ name }, 'name')}
                      error={errors.fields.name}
                      help={namePreview(draft) === null ? undefined : words.fields.namesWillBe(namePreview(draft) ?? '')}
                      isRequired
                    />
                  </GridItem>
                  <GridItem sm={4}>
                    <TextField
                      id="launch-count"
                      label={words.fields.count}
                      type="number"
                      min={1}
                      value={draft.count}
                      onChange={(count) => change({ count }, 'count')}
                      error={errors.fields.count}
                      help={words.fields.countHelp(countLimit)}
                      isRequired
                    />
                  </GridItem>
                  <GridItem>
                    <TextField
                      id="launch-description"
                      label={words.fields.description}
                      value={draft.description}
                      onChange={(description) => change({ description }, 'description')}
                      error={errors.fields.description}
                    />
                  </GridItem>
                </Grid>
              </CardBody>
            </Card>
            <Card isCompact className="kn-gap-below">
              <CardBody>
                <ImagePicker
                  imageId={draft.imageId}
                  onChange={(imageId) => change({ imageId }, 'imageId', 'flavorId')}
                  error={errors.fields.imageId}
                />
              </CardBody>
            </Card>
            <Card isCompact className="kn-gap-below">
              <CardBody>
                {flavors === undefined ? (
                  flavorsResult.error === undefined ? (
                    <Loading what={words.flavors.what} />
                  ) : (
                    <ErrorNotice what={words.flavors.the} error={flavorsResult.error} retry={() => void flavorsResult.refetch()} />
                  )
                ) : (
                  <FlavorPicker
                    flavors={flavors}
                    image={image}
                    flavorId={draft.flavorId}
                    onChange={(flavorId) => change({ flavorId }, 'flavorId')}
                    error={errors.fields.flavorId}
                  />
                )}
              </CardBody>
            </Card>
            <Card isCompact className="kn-gap-below">
              <CardBody>
                <NetworkPicker
                  mode={draft.networkMode}
                  networkIds={draft.networkIds}
                  onChange={(part) => change(part, 'networks')}
                  error={errors.fields.networks}
                />
              </CardBody>
            </Card>
            <Card isCompact className="kn-gap-below">
              <CardBody>
                <KeypairPicker
                  keyNames={draft.keyNames}
                  onChange={(keyNames) => change({ keyNames }, 'keyNames')}
                  error={errors.fields.keyNames}
                />
              </CardBody>
            </Card>
            <Card isCompact>
              <CardTitle component="h2">{words.fields.more}</CardTitle>
              <CardBody>
                <Grid hasGutter>
                  <Checkbox
                    id="launch-config-drive"
                    label={words.fields.configDrive}
                    description={words.fields.configDriveHelp}
                    isChecked={draft.configDrive}
                    onChange={(_event, configDrive) => change({ configDrive })}
                  />
                  <GridItem>
                    <UserDataField draft={draft} onChange={(userData) => change({ userData }, 'userData')} error={errors.fields.userData} />
                  </GridItem>
                  <TextField
                    id="launch-zone"
                    label={words.fields.zone}
                    value={draft.zone}
                    onChange={(zone) => change({ zone }, 'zone')}
                    error={errors.fields.zone}
                    help={words.fields.zoneHelp(defaultZone)}
                  />
                  <FormGroup label={words.fields.metadata} role="group">
                    <KeyValueRows
                      id="launch-metadata"
                      noun={words.fields.metadataItem}
                      rows={draft.metadata}
                      onChange={(metadata) => change({ metadata }, 'metadata')}
                      error={errors.fields.metadata}
                    />
                  </FormGroup>
                  <TextField
                    id="launch-tags"
                    label={words.fields.tags}
                    value={draft.tags}
                    onChange={(tags) => change({ tags }, 'tags')}
                    error={errors.fields.tags}
                    help={words.fields.tagsHelp}
                  />
                </Grid>
              </CardBody>
            </Card>
          </div>
          <LaunchSummary draft={draft} image={image} flavor={flavor}>
            {errors.general !== null && (
              <Alert component="p" isInline isLiveRegion variant="danger" title={errors.general} className="kn-gap-below" />
            )}
            {problems > 0 && (
              <Alert component="p" isInline isLiveRegion variant="danger" title={words.wrong.fields(problems)} className="kn-gap-below" />
            )}
            <Button type="submit" isBlock isDisabled={busy} isLoading={busy}>
              {words.submit}
            </Button>
            <Button
              variant="link"
              isBlock
              onClick={() => {
                setDraft(emptyDraft())
                setErrors(noErrors)
              }}
            >
              {words.startOver}
            </Button>
          </LaunchSummary>
        </Form>
      </PageSection>
    </>
  )
}
