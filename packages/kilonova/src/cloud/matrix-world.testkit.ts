/** Two projects with one of everything each, for the tenancy matrix; and the values that its inputs are made of. */
import { randomUUID } from 'node:crypto'
import { type GraphQLInputType, getNamedType, isEnumType } from 'graphql'
import { type TestClient, type TestCloud, until } from './cloud.testkit.js'
import { type Place, placeText, type Sampler } from './matrix-schema.testkit.js'
import { create, serverInput, untilStatus } from './proof.testkit.js'

/** What an id names, and whose it is. */
export type Ownership = 'project' | 'user' | 'cloud' | 'everybody'
export const kinds = {
  server: 'project',
  image: 'project',
  /** With data, to make servers of. */
  bootImage: 'project',
  /** Shared with the partner project. */
  sharedImage: 'project',
  /** Of the administrator, offered to this project. */
  offeredImage: 'project',
  upload: 'project',
  operation: 'project',
  flavor: 'project',
  network: 'project',
  keypair: 'user',
  applicationCredential: 'user',
  project: 'project',
  user: 'user',
  /** Made to be changed and deleted. */
  spareProject: 'cloud',
  spareUser: 'cloud',
  hypervisor: 'cloud',
  computeService: 'cloud',
  role: 'everybody',
  sharedNetwork: 'everybody',
  /** A project to share with: it is known by its id, as an address is. */
  partnerProject: 'everybody',
  /** An id that the caller chooses. */
  fresh: 'everybody',
} as const satisfies Record<string, Ownership>
export type Kind = keyof typeof kinds

/** What the ids of inputs name: by place, or by the field's name wherever it is. */
const kindOfId: Readonly<Record<string, Kind>> = {
  'project.id': 'project',
  'user.id': 'user',
  'flavor.id': 'flavor',
  'image.id': 'image',
  'operation.id': 'operation',
  'server.id': 'server',
  'hypervisor.id': 'hypervisor',
  'computeService.id': 'computeService',
  'network.id': 'network',
  'CreateServerInput.imageId': 'bootImage',
  'AddImageMemberInput.imageId': 'sharedImage',
  'AddImageMemberInput.projectId': 'partnerProject',
  'RemoveImageMemberInput.imageId': 'sharedImage',
  'RemoveImageMemberInput.projectId': 'partnerProject',
  'ServerNetworkInput.networkId': 'sharedNetwork',
  'AnswerImageMembershipInput.imageId': 'offeredImage',
  'CreateFlavorInput.id': 'fresh',
  'CreateImageInput.id': 'fresh',
  'UpdateProjectInput.projectId': 'spareProject',
  'DeleteProjectInput.projectId': 'spareProject',
  'AssignRoleInput.projectId': 'spareProject',
  'RevokeRoleInput.projectId': 'spareProject',
  'UpdateUserInput.userId': 'spareUser',
  'DeleteUserInput.userId': 'spareUser',
  'AssignRoleInput.userId': 'spareUser',
  'RevokeRoleInput.userId': 'spareUser',
  serverId: 'server',
  serverIds: 'server',
  imageId: 'image',
  uploadId: 'upload',
  operationId: 'operation',
  operationIds: 'operation',
  parentId: 'operation',
  flavorId: 'flavor',
  networkId: 'network',
  projectId: 'project',
  defaultProjectId: 'project',
  memberProjectId: 'project',
  accessProjectIds: 'project',
  userId: 'user',
  roleId: 'role',
  roleIds: 'role',
  applicationCredentialId: 'applicationCredential',
  computeServiceId: 'computeService',
  serviceId: 'computeService',
  hypervisorId: 'hypervisor',
  subjectIds: 'server',
  'ServerFilter.ids': 'server',
  'AuditFilter.targetId': 'server',
}

export class NoSample extends Error {
  override name = 'NoSample'
}

/** What another's id in that place would name. */
export const foreignKindAt = (place: Place): Kind => (placeText(place) === 'ServerNetworkInput.networkId' ? 'network' : kindAt(place))

export const kindAt = (place: Place): Kind => {
  const kind = kindOfId[placeText(place)] ?? kindOfId[place.name]
  if (kind === undefined) {
    throw new NoSample(
      `No sample is known for the id ${placeText(place)}. Say what it names in kindOfId of matrix-world.testkit.ts; a new kind of object needs its ownership in kinds and a maker in World.`,
    )
  }
  return kind
}

/** Key pairs have no id: they are named. */
export const namesKeypair = (place: Place): boolean => ['keypair.name', 'DeleteKeypairInput.name'].includes(placeText(place))

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ0b2xkZW4tbWF0cml4LXRlc3Qta2V5LTAwMDAwMDAw matrix'
let counter = 0

type ValueMaker = () => unknown
/** Values by place, or by the field's name wherever it is. */
const values: Readonly<Record<string, ValueMaker>> = {
  name: () => `matrix-${++counter}`,
  key: () => 'matrix',
  keys: () => 'matrix',
  value: () => '1',
  tag: () => 'matrix',
  tags: () => 'matrix',
  publicKey: () => publicKey,
  vcpus: () => 1,
  ramMb: () => 64,
  diskGb: () => 1,
  sizeBytes: () => '512',
  sizeMb: () => 1,
  className: () => 'default',
  requestId: () => 'req-matrix',
  host: () => 'fake-001',
  hypervisorHostname: () => 'fake-001',
  node: () => 'fake-001',
  launchIndex: () => 0,
  start: () => '2026-01-01T00:00:00.000Z',
  end: () => '2026-01-02T00:00:00.000Z',
  nameContains: () => 'identity',
  namespace: () => 'hw',
  username: () => 'nobody-of-this-name',
  password: () => 'not-the-password',
  currentPassword: () => 'not-the-password',
  newPassword: () => 'not-the-password-either',
  limit: () => 1000,
  'CreateUserInput.password': () => 'a-long-enough-password',
  'ServerNetworksInput.mode': () => 'LIST',
  'SetFlavorExtraSpecsInput.extraSpecs': () => ({ key: 'hw:cpu_policy', value: 'shared' }),
  'ExtraSpecInput.key': () => 'hw:cpu_policy',
  'ExtraSpecInput.value': () => 'shared',
  'RebootServerInput.type': () => 'SOFT',
  'CreateConsoleInput.type': () => 'SERIAL',
  'BulkServerActionInput.action': () => 'START',
  'DeleteFlavorExtraSpecsInput.keys': () => 'hw:cpu_policy',
  'CreateImageInput.diskFormat': () => 'RAW',
}

/** Fields given although they are optional: without them the input would be refused for another reason than rights. */
const alwaysGiven = new Set([
  'UpdateComputeServiceInput.status',
  'CreateImageInput.diskFormat',
  'CreateServerInput.imageId',
  'ServerNetworksInput.list',
  'ServerNetworkInput.networkId',
])
export const always = (place: Place): boolean => alwaysGiven.has(placeText(place))

export interface Actor {
  name: 'nobody' | 'reader' | 'member' | 'stranger' | 'admin'
  client: TestClient
  userId: string
  projectId: string
  roles: readonly string[]
}

export class World {
  readonly test: TestCloud
  readonly marker: string
  readonly member: { client: TestClient; userId: string; projectId: string }
  readonly #imageId: string
  readonly #made = new Map<Kind, Promise<string>>()
  #names = 0

  private constructor(test: TestCloud, marker: string, imageId: string, member: World['member']) {
    this.test = test
    this.marker = marker
    this.#imageId = imageId
    this.member = member
  }

  static async make(test: TestCloud, marker: string, imageId: string): Promise<World> {
    const world = new World(test, marker, imageId, await test.user('member'))
    for (const kind of Object.keys(kinds) as Kind[]) await world.id(kind)
    await world.#brokenServer()
    return world
  }

  /** The id of this project's object of a kind. */
  id(kind: Kind): Promise<string> {
    const known = this.#made.get(kind)
    if (known !== undefined && kind !== 'fresh') return known
    const made = this.#make(kind)
    this.#made.set(kind, made)
    return made
  }

  /** It was used up. */
  forget(kind: Kind): void {
    if (kind !== 'project' && kind !== 'user') this.#made.delete(kind)
  }

  readonly sample: Sampler = async (type: GraphQLInputType, place: Place) => {
    const named = getNamedType(type)
    if (named.name === 'ID') return this.id(kindAt(place))
    if (namesKeypair(place)) return this.id('keypair')
    const maker = values[placeText(place)] ?? values[place.name]
    if (maker !== undefined) return maker()
    if (isEnumType(named)) return named.getValues()[0]?.name
    if (named.name === 'Boolean') return true
    throw new NoSample(
      `No sample is known for ${placeText(place)} (${named.name}). Add a value to \`values\` in matrix-world.testkit.ts, by its place or its name.`,
    )
  }

  /** Everything by which this project could be recognised elsewhere. */
  async secrets(): Promise<Set<string>> {
    const { projectId, userId } = this.member
    const { read } = this.test.cloud.plane.api
    const ofProject = async (table: 'operations' | 'images' | 'networks' | 'ports' | 'application_credentials') =>
      (await read.selectFrom(table).select('id').where('project_id', '=', projectId).execute()).map((row) => row.id)
    const servers = await read.selectFrom('instance_mappings').select('instance_uuid').where('project_id', '=', projectId).execute()
    const lists = await Promise.all(
      (['operations', 'images', 'networks', 'ports', 'application_credentials'] as const).map((table) => ofProject(table)),
    )
    return new Set([this.marker, projectId, userId, ...servers.map((row) => row.instance_uuid), ...lists.flat()])
  }

  #name(): string {
    return `${this.marker}-${++this.#names}`
  }

  async #make(kind: Kind): Promise<string> {
    const { test, member } = this
    const { client } = member
    switch (kind) {
      case 'server':
        return this.#server()
      case 'operation':
        return (await create(client, await this.#serverInput())).operation.id
      case 'image':
        return this.#ask(client, 'createImage', 'image { id }', { name: this.#name(), diskFormat: 'RAW' })
      case 'bootImage': {
        const imageId = await this.#ask(client, 'createImage', 'image { id }', { name: this.#name(), diskFormat: 'RAW' })
        await test.upload(imageId, Buffer.alloc(65536, this.marker))
        await until(
          'the image',
          () => client.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id: imageId }),
          ({ image }) => image.status === 'ACTIVE',
        )
        return imageId
      }
      case 'sharedImage':
        return this.#share(client, await this.id('partnerProject'))
      case 'offeredImage':
        return this.#share(test.admin, member.projectId)
      case 'upload': {
        const imageId = await this.#ask(client, 'createImage', 'image { id }', { name: this.#name(), diskFormat: 'RAW' })
        return this.#ask(client, 'createImageUpload', 'upload { id }', { imageId, sizeBytes: '512' })
      }
      case 'flavor':
        return this.#ask(test.admin, 'createFlavor', 'flavor { id }', {
          name: this.#name(),
          vcpus: 1,
          ramMb: 64,
          diskGb: 1,
          isPublic: false,
          extraSpecs: [{ key: 'hw:cpu_policy', value: 'shared' }],
          accessProjectIds: [member.projectId],
        })
      case 'network':
        return this.#network()
      case 'keypair': {
        const name = this.#name()
        await this.#ask(client, 'importKeypair', 'keypair { id: name }', { name, publicKey })
        return name
      }
      case 'applicationCredential':
        return this.#ask(client, 'createApplicationCredential', 'applicationCredential { id }', { name: this.#name() })
      case 'project':
        return member.projectId
      case 'user':
        return member.userId
      case 'spareProject':
      case 'partnerProject':
        return this.#ask(test.admin, 'createProject', 'project { id }', { name: this.#name() })
      case 'spareUser':
        return this.#spareUser()
      case 'hypervisor':
        return (await test.admin.ask<{ hypervisors: { nodes: { id: string }[] } }>('{ hypervisors(first: 1) { nodes { id } } }'))
          .hypervisors.nodes[0]?.id as string
      case 'computeService':
        return this.#computeService()
      case 'sharedNetwork':
        return (await test.admin.ask<{ networks: { nodes: { id: string }[] } }>('{ networks(filter: { shared: true }) { nodes { id } } }'))
          .networks.nodes[0]?.id as string
      case 'role':
        return 'reader'
      case 'fresh':
        return randomUUID()
    }
  }

  async #share(client: TestClient, projectId: string): Promise<string> {
    const input = { name: this.#name(), diskFormat: 'RAW', visibility: 'SHARED' }
    const imageId = await this.#ask(client, 'createImage', 'image { id }', input)
    await client.ask('mutation ($input: AddImageMemberInput!) { addImageMember(input: $input) { __typename } }', {
      input: { imageId, projectId },
    })
    return imageId
  }

  async #server(): Promise<string> {
    const { client } = this.member
    const { server } = await create(
      client,
      await this.#serverInput({ metadata: [{ key: 'matrix', value: this.marker }], keyNames: [await this.id('keypair')] }),
    )
    await untilStatus(client, server.id, 'ACTIVE')
    return server.id
  }

  /** For the types of faults. */
  async #brokenServer(): Promise<void> {
    const { client } = this.member
    const { server } = await create(client, await this.#serverInput({ name: `${this.#name()} fail-disk` }))
    await untilStatus(client, server.id, 'ERROR')
  }

  /** On the network that all projects share: the project's own has no addresses. */
  async #serverInput(more: object = {}): Promise<object> {
    const list = [{ networkId: await this.id('sharedNetwork') }]
    return serverInput(this.#imageId, this.#name(), { flavorId: await this.id('flavor'), networks: { mode: 'LIST', list }, ...more })
  }

  /** With a role to take away. */
  async #spareUser(): Promise<string> {
    const { admin } = this.test
    const userId = await this.#ask(admin, 'createUser', 'user { id }', { name: this.#name(), password: 'a-long-enough-password' })
    const projectId = await this.id('spareProject')
    const grant = { userId, projectId, roleId: 'reader' }
    await admin.ask('mutation ($input: AssignRoleInput!) { assignRole(input: $input) { __typename } }', { input: grant })
    return userId
  }

  /** There is no mutation for networks: the row is written as the first start writes its own. */
  async #network(): Promise<string> {
    const { api } = this.test.cloud.plane
    const id = randomUUID()
    const times = { created_at: api.now, updated_at: api.now }
    await api.transaction((trx) =>
      trx
        .insertInto('networks')
        .values({
          id,
          name: this.#name(),
          status: 'ACTIVE',
          shared: 0,
          mtu: 1500,
          network_type: 'LOCAL',
          project_id: this.member.projectId,
          tags: '[]',
          ...times,
        })
        .execute(),
    )
    return id
  }

  /** To be changed and removed: of a host without an agent, which would bring it back. */
  async #computeService(): Promise<string> {
    const [cell] = await this.test.cloud.plane.cells.withHosts()
    if (cell === undefined) throw new Error('no cell')
    const { database } = cell
    const id = randomUUID()
    const times = { last_seen_at: database.now, created_at: database.now, updated_at: database.now }
    await database.transaction((trx) =>
      trx
        .insertInto('services')
        .values({ id, binary: 'nova-compute', host: this.#name(), version: 1, ...times })
        .execute(),
    )
    return id
  }

  async #ask(client: TestClient, mutation: string, selection: string, input: object): Promise<string> {
    const inputType = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`
    const answer = await client.ask<Record<string, Record<string, { id: string }>>>(
      `mutation ($input: ${inputType}!) { ${mutation}(input: $input) { ${selection} } }`,
      { input },
    )
    const [object] = Object.values(answer[mutation] ?? {})
    if (object === undefined) throw new Error(`${mutation} answered nothing`)
    return object.id
  }
}
