/** The cloud's API as a test uses it beside the browser: to make what a page is to show, in numbers nobody clicks together. */
import { randomUUID } from 'node:crypto'
import type { TestCloud } from './cloud.js'

interface Login {
  username: string
  password: string
}

export class Api {
  readonly #url: string
  readonly #token: string

  private constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  static async signIn(cloud: TestCloud, login: Login = { username: 'admin', password: cloud.password }): Promise<Api> {
    const { login: answer } = await new Api(cloud.url, '').run<{ login: { session: { accessToken: string } } }>(
      'mutation ($input: LoginInput!) { login(input: $input) { session { accessToken } } }',
      { ...login },
    )
    return new Api(cloud.url, answer.session.accessToken)
  }

  /** Runs a document whose one variable is its input. */
  async run<T>(query: string, input: Record<string, unknown> = {}): Promise<T> {
    const response = await fetch(`${this.#url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(this.#token === '' ? {} : { authorization: `Bearer ${this.#token}` }) },
      body: JSON.stringify({ query, variables: query.includes('$input') ? { input } : {} }),
    })
    const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] }
    if (errors !== undefined) throw new Error(errors.map((error) => error.message).join('; '))
    return data
  }

  async createProject(name: string): Promise<string> {
    const { createProject } = await this.run<{ createProject: { project: { id: string } } }>(
      'mutation ($input: CreateProjectInput!) { createProject(input: $input) { project { id } } }',
      { name, idempotencyKey: randomUUID() },
    )
    return createProject.project.id
  }

  /** A user with roles in projects. */
  async createUser(login: Login, roles: { projectId: string; roleId: string }[]): Promise<string> {
    const { createUser } = await this.run<{ createUser: { user: { id: string } } }>(
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } } }',
      { name: login.username, password: login.password, idempotencyKey: randomUUID() },
    )
    for (const role of roles) await this.assignRole(createUser.user.id, role)
    return createUser.user.id
  }

  async assignRole(userId: string, role: { projectId: string; roleId: string }): Promise<void> {
    await this.run('mutation ($input: AssignRoleInput!) { assignRole(input: $input) { __typename } }', {
      ...role,
      userId,
      idempotencyKey: randomUUID(),
    })
  }

  async me(): Promise<{ userId: string; projectId: string }> {
    const { viewer } = await this.run<{ viewer: { user: { id: string }; project: { id: string } } }>(
      '{ viewer { user { id } project { id } } }',
    )
    return { userId: viewer.user.id, projectId: viewer.project.id }
  }

  /** Ends every session of the caller, this one too. */
  async endAllSessions(): Promise<void> {
    await this.run('mutation ($input: LogoutInput!) { logout(input: $input) { endedSessions } }', { everywhere: true })
  }
}
