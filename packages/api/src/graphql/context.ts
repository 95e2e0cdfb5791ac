/** What every resolver is given: who asks, the services, and loaders that batch look-ups within one request. */
import DataLoader from 'dataloader'
import type { Caller } from '../caller.js'
import { unauthenticated } from '../modules/identity/session.service.js'
import type { Services } from '../services.js'

export interface RequestInfo {
  requestId: string
  clientAddress: string
  /** Refresh token of the browser's cookie. */
  refreshCookie: string | null
  /** True when the request comes from a browser: refresh tokens then travel as cookies only. */
  fromBrowser: boolean
  setRefreshCookie(token: string | null, expiresAt: number): void
}

type Loader<T> = DataLoader<string, T | null>
type ById<T> = (ids: readonly string[]) => Promise<Map<string, T>>

const batched = <T>(load: ById<T>): Loader<T> =>
  new DataLoader(async (ids) => {
    const found = await load(ids)
    return ids.map((id) => found.get(id) ?? null)
  })

export class RequestContext {
  readonly services: Services
  readonly request: RequestInfo
  /** SHA-256 of the schema in force. */
  readonly schemaHash: string
  // Not #private: Apollo Server works on a copy made by Object.create, which has no #private members.
  private readonly whoAsks: Caller | null
  private readonly loaders = new Map<string, unknown>()
  /** Policy decisions of this request, by rule and project. */
  readonly decisions = new Map<string, boolean>()

  constructor(services: Services, request: RequestInfo, caller: Caller | null, schemaHash = '') {
    this.services = services
    this.request = request
    this.schemaHash = schemaHash
    this.whoAsks = caller
  }

  /** The caller; UNAUTHENTICATED when there is none. */
  get caller(): Caller {
    if (this.whoAsks === null) throw unauthenticated('Sign in first: send an access token as bearer.')
    return this.whoAsks
  }

  get isAuthenticated(): boolean {
    return this.whoAsks !== null
  }

  get users() {
    return this.loader('users', (ids) => this.services.identity.usersById(ids))
  }
  get projects() {
    return this.loader('projects', (ids) => this.services.identity.projectsById(ids))
  }
  get images() {
    return this.loader('images', (ids) => this.services.images.visibleById(this.caller, ids))
  }
  get imageMembers() {
    return this.loader('imageMembers', (ids) => this.services.images.members.of(ids))
  }
  get imageUploads() {
    return this.loader('imageUploads', (ids) => this.services.images.uploads.of(ids))
  }
  get flavors() {
    return this.loader('flavors', (ids) => this.services.flavors.visibleById(this.caller, ids))
  }
  get flavorAccess() {
    return this.loader('flavorAccess', (ids) => this.services.flavors.accessOf(ids))
  }
  get flavorServers() {
    return this.loader('flavorServers', (ids) => this.services.flavors.serverCounts(ids))
  }
  get subnets() {
    return this.loader('subnets', (ids) => this.services.networks.subnetsOf(ids))
  }
  get usedAddresses() {
    return this.loader('usedAddresses', (ids) => this.services.networks.usedAddresses(ids))
  }
  get servers() {
    return this.loader('servers', (ids) => this.services.servers.visibleById(this.caller, ids))
  }
  /** The newest operations of servers, by how many. */
  newestOperations(first: number | null | undefined) {
    return this.loader(`newestOperations ${first ?? ''}`, (ids) => this.services.operations.newestOf(this.caller, ids, first))
  }
  get operations() {
    return this.loader('operations', (ids) => this.services.operations.visibleById(this.caller, ids))
  }
  /** Whether operations can be cancelled now. */
  get cancellable() {
    return this.loader('cancellable', (ids) => this.services.cancels.cancellable(this.caller, ids))
  }
  get steps() {
    return this.loader('steps', (ids) => this.services.operations.stepsOf(ids))
  }
  /** Compute nodes by host name. */
  get nodesByHost() {
    return this.loader('nodesByHost', async () => {
      const { nodes } = await this.services.hypervisors.allNodes()
      return new Map(nodes.map((node) => [node.host, node]))
    })
  }
  /** What each project holds on providers. */
  get projectUse() {
    return this.loader('projectUse', (ids) => this.services.placement.projectUseOf(ids))
  }
  get providers() {
    return this.loader('providers', async () => {
      const providers = await this.services.placement.snapshot()
      return new Map(providers.map((provider) => [provider.providerId, provider]))
    })
  }

  /** Forgets what was loaded: for streams, whose context lives long. */
  forgetLoaded(): void {
    this.loaders.clear()
  }

  private loader<T>(name: string, load: ById<T>): Loader<T> {
    const known = this.loaders.get(name) as Loader<T> | undefined
    if (known !== undefined) return known
    const made = batched(load)
    this.loaders.set(name, made)
    return made
  }
}
