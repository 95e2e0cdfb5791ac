/**
 * The tenancy matrix: every query, mutation, subscription and nested field of the emitted schema, tried as nobody, as reader and member
 * of the project that owns the objects, as member of another project, and as administrator. What must come out follows from the
 * `@policy` rules and from whose the objects are. New operations are picked up by themselves; where the matrix cannot make their input
 * it fails and says what to add.
 */
import { buildCloudSchema, printCloudSchema } from '@kilonova/api/graphql/schema'
import { isPolicyRuleName } from '@kilonova/contract/policy-rules'
import { isInputObjectType, isObjectType } from 'graphql'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { TestCloud, until } from './cloud.testkit.js'
import {
  type Answer,
  allows,
  argsOf,
  call,
  codeOf,
  denial,
  denials,
  denying,
  given,
  inputsOf,
  ownerOf,
  payload,
  questionAlong,
  rulesOf,
  told,
  typename,
} from './matrix-cases.testkit.js'
import { exceptions } from './matrix-exceptions.testkit.js'
import {
  type Field,
  guardsOf,
  instancesAt,
  isIdType,
  isListField,
  rootFields,
  schemaFrom,
  waysToTypes,
  withValue,
} from './matrix-schema.testkit.js'
import { follow, type Stream } from './matrix-streams.testkit.js'
import { type Actor, foreignKindAt, type Kind, kindAt, kinds, namesKeypair, World } from './matrix-world.testkit.js'
import { untilStatus } from './proof.testkit.js'

const schema = schemaFrom(printCloudSchema(buildCloudSchema()))
const uuids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const unknownId = '99999999-9999-4999-8999-999999999999'

/** The audit log repeats what the actor itself has sent, others’ ids among it. */
const withoutOwnWords = (key: string, value: unknown): unknown => (key === 'input' || key === 'targetIds' ? undefined : value)

const used = new Set<string>()
/** Whether the case is on the allow-list. */
const excepted = (name: string): boolean => {
  if (!Object.hasOwn(exceptions, name)) return false
  used.add(name)
  return true
}

const mutations = rootFields(schema, 'mutation')
const queries = rootFields(schema, 'query')

describe('the tenancy matrix', () => {
  let test: TestCloud
  let owner: World
  let other: World
  let actors: Record<Actor['name'], Actor>
  const seenBy: Record<string, string[]> = { stranger: [], reader: [], member: [] }

  beforeAll(async () => {
    test = await TestCloud.start({ config: { quota: { instances: -1, cores: -1, ram: -1, key_pairs: -1 } } })
    const imageId = await test.image()
    owner = await World.make(test, 'alpha-of-the-owner', imageId)
    other = await World.make(test, 'beta-of-the-other', imageId)
    const reader = await test.user('reader', owner.member.projectId)
    const { viewer } = await test.admin.ask<{ viewer: { user: { id: string }; project: { id: string } } }>(
      '{ viewer { user { id } project { id } } }',
    )
    const memberRoles = ['member', 'reader']
    actors = {
      nobody: { name: 'nobody', client: test.nobody, userId: '', projectId: '', roles: [] },
      reader: { name: 'reader', ...reader, roles: ['reader'] },
      member: { name: 'member', ...owner.member, roles: memberRoles },
      stranger: { name: 'stranger', ...other.member, roles: memberRoles },
      admin: { name: 'admin', client: test.admin, userId: viewer.user.id, projectId: viewer.project.id, roles: ['admin', ...memberRoles] },
    }
  }, 120_000)
  afterAll(() => test?.destroy())

  /** Whether an object of the owner's world is there for the actor. */
  const visible = (kind: Kind, actor: Actor): boolean => {
    const whose = kinds[kind]
    // Key pairs are looked for among one's own.
    if (kind === 'keypair') return actor.userId === owner.member.userId
    if (actor.name === 'admin' || whose === 'everybody') return true
    if (whose === 'cloud') return false
    return whose === 'project' ? actor.projectId === owner.member.projectId : actor.userId === owner.member.userId
  }

  const send = async (actor: Actor, document: string, variables: Record<string, unknown> = {}): Promise<Answer> => {
    const answer = await actor.client.raw<Record<string, unknown>>(document, variables)
    // What the actor has named itself is no news to it.
    const own: string[] = JSON.stringify(variables).match(uuids) ?? []
    seenBy[actor.name]?.push(own.reduce((text, id) => text.replaceAll(id, ''), JSON.stringify(answer.data ?? null, withoutOwnWords)))
    return answer
  }
  /** The kinds of objects that the required input of a field names. */
  const namedKinds = async (field: Field): Promise<Kind[]> => {
    const args = await argsOf(field, owner)
    return inputsOf(field).flatMap(({ path, place, field: input }) => {
      if (!isIdType(input.type)) return namesKeypair(place) ? (['keypair'] as Kind[]) : []
      return given(args, path) === undefined ? [] : [kindAt(place)]
    })
  }

  const hidden = /NOT_FOUND|INVALID_REFERENCE/
  const refusedRights = ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'INTERNAL', 'BAD_USER_INPUT', 'INVALID_REFERENCE']

  describe.each(['nobody', 'reader', 'stranger', 'member', 'admin'] as const)('of mutations, as %s', (name) => {
    it.each(mutations.map((field) => [field.name, field] as const))('%s', async (_name, field) => {
      const actor = actors[name]
      if (excepted(`Mutation.${field.name} as ${name}`) || (name !== 'nobody' && excepted(`Mutation.${field.name}`))) return
      const args = await argsOf(field, owner)
      const attempt = async (): Promise<Answer> => {
        const { document, variables } = call(field, await argsOf(field, owner), payload(field))
        return send(actor, document('mutation'), variables)
      }
      let answer = await attempt()
      if (name === 'nobody') return expect(told(answer)).toMatch(/^UNAUTHENTICATED/)
      const named = await namedKinds(field)
      const hiddenOnes = named.some((kind) => !visible(kind, actor))
      const denied = denials(field, args, actor)
      if (hiddenOnes && hidden.test(codeOf(answer))) return
      if (denied.length > 0) return expect(denied).toContain(told(answer))
      if (hiddenOnes) return expect(JSON.stringify(answer)).toMatch(hidden)
      if (/NOT_FOUND|INVALID_REFERENCE/.test(codeOf(answer))) {
        // An earlier mutation has used it up.
        for (const kind of named) owner.forget(kind)
        answer = await attempt()
      }
      for (const kind of named) if (/^(delete|cancel|remove|revoke|finalize)/.test(field.name)) owner.forget(kind)
      expect(refusedRights, told(answer)).not.toContain(codeOf(answer))
    })
  })

  describe('of ids in the input of mutations and queries, as stranger', () => {
    const cases = [...mutations, ...queries].flatMap((field) =>
      inputsOf(field)
        .filter(({ field: input }) => isIdType(input.type))
        .map(({ path, place }) => [`${field.name}: ${path.join('.')}`, field, path, place] as const),
    )
    it.each(cases)('%s: what is another’s is as what does not exist', async (name, field, path, place) => {
      const actor = actors.stranger
      const kind = foreignKindAt(place)
      if (excepted(`Mutation.${field.name}`)) return
      const isMutation = mutations.includes(field)
      const guards = inputsOf(field)
        .filter((input) => path.join('.').startsWith(input.path.join('.')))
        .flatMap((input) => guardsOf(input.field).map((guard) => guard.rule))
      if (visible(kind, actor) || denying([...rulesOf(field), ...guards], actor) !== undefined) return
      if (excepted(`own words ${name}`)) return
      const foreign = await owner.id(kind)
      const ask = async (id: string): Promise<Answer> => {
        const args = withValue(await argsOf(field, other, [path]), path, id) as Record<string, unknown>
        const { document, variables } = call(field, args, isListField(field) ? 'totalCount' : isMutation ? payload(field) : typename(field))
        return send(actor, document(isMutation ? 'mutation' : 'query'), variables)
      }
      const others = await ask(foreign)
      const unknown = await ask(unknownId)
      const masked = (answer: Answer, id: string): string =>
        JSON.stringify(answer)
          .replaceAll(id, 'X')
          .replaceAll(uuids, 'U')
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'T')
      expect(masked(others, foreign)).toBe(masked(unknown, unknownId))
      if (excepted(`id ${name}`)) return
      if (isMutation) expect(JSON.stringify(others)).toMatch(hidden)
      else expect(codeOf(others) === 'OK' ? 'NOT_FOUND' : codeOf(others)).toBe('NOT_FOUND')
    })
  })

  describe('of guarded inputs', () => {
    const cases = [...mutations, ...queries].flatMap((field) =>
      inputsOf(field)
        .filter(({ field: input }) => guardsOf(input).length > 0)
        .flatMap((input) =>
          (['reader', 'member', 'admin'] as const).map(
            (name) => [`${field.name}: ${input.path.join('.')} as ${name}`, field, input, name] as const,
          ),
        ),
    )
    it.each(cases)('%s', async (caseName, field, input, name) => {
      const actor = actors[name]
      const args = await argsOf(field, owner, [input.path])
      const { document, variables } = call(field, args, isListField(field) ? 'totalCount' : typename(field))
      const answer = await send(actor, document(mutations.includes(field) ? 'mutation' : 'query'), variables)
      const denied = denials(field, args, actor)
      if (excepted(`input ${caseName}`)) return
      if (denied.length === 0) expect(['UNAUTHENTICATED', 'FORBIDDEN', 'INTERNAL'], told(answer)).not.toContain(codeOf(answer))
      else expect(denied).toContain(told(answer))
    })
  })

  describe.each(['nobody', 'reader', 'member', 'stranger', 'admin'] as const)('of queries, as %s', (name) => {
    it.each(queries.map((field) => [field.name, field] as const))('%s', async (_name, field) => {
      const actor = actors[name]
      if (excepted(`Query.${field.name} as ${name}`)) return
      const { document, variables } = call(field, await argsOf(field, owner), typename(field))
      const answer = await send(actor, document('query'), variables)
      if (name === 'nobody') return expect(told(answer)).toMatch(/^UNAUTHENTICATED/)
      const rule = denying(rulesOf(field), actor)
      if (rule !== undefined) return expect(told(answer)).toBe(denial(rule))
      const named = await namedKinds(field)
      if (named.every((kind) => visible(kind, actor))) {
        expect(codeOf(answer), told(answer)).toBe('OK')
        // What is not asked for by its id may not be there yet.
        if (named.length > 0) expect(answer.data?.[field.name]).not.toBeNull()
        return
      }
      if (codeOf(answer) === 'OK') return expect(answer.data?.[field.name]).toBeNull()
      return expect(told(answer)).toMatch(/^NOT_FOUND/)
    })
  })

  describe('of nested fields', () => {
    const ways = waysToTypes(schema)
    const reached = new Set<string>()
    const types = [...ways.keys()].sort()

    it.each((['reader', 'member', 'stranger', 'admin'] as const).flatMap((name) => types.map((type) => [type, name] as const)))(
      '%s, as %s',
      async (typeName, name) => {
        const actor = actors[name]
        const world = name === 'stranger' ? other : owner
        for (const way of ways.get(typeName) ?? []) {
          const root = way.steps[0]?.field
          if (root === undefined || denying(rulesOf(root), actor) !== undefined) continue
          const { document, variables } = await questionAlong(way, world)
          const answer = await send(actor, document, variables)
          const text = `${way.steps.map((step) => step.field.name).join('.')}: ${told(answer)}`
          if (excepted(`nested ${way.steps.map((step) => step.field.name).join('.')} as ${name}`)) continue
          const unexpected =
            answer.errors?.filter((error) => !['NOT_FOUND', 'NOT_READY'].includes(error.extensions.code) && !isDeniedField(error, actor)) ??
            []
          expect(unexpected, text).toEqual([])
          const instances = instancesAt(answer.data, way.steps)
          if (instances.length > 0) reached.add(typeName)
          for (const instance of instances) {
            for (const field of Object.values(way.to.getFields())) {
              const guards = guardsOf(field)
              const shown = instance[field.name] ?? []
              if (guards.length === 0 || (Array.isArray(shown) && shown.length === 0)) continue
              const target = ownerOf(way.to, instance, actor)
              for (const { rule } of guards)
                expect(allows(rule, actor, target), `${way.to.name}.${field.name} is shown to ${name}`).toBe(true)
            }
          }
        }
      },
    )

    it('reaches every type', () => {
      const missed = types.filter((type) => !reached.has(type) && !excepted(`type ${type}`))
      expect(missed.join(', '), 'types of which the matrix has no instance: give the worlds one, or allow it with a reason').toBe('')
    })

    /** Whether it is the refusal of a field that is guarded by a rule which the actor fails. */
    const isDeniedField = (error: NonNullable<Answer['errors']>[number], actor: Actor): boolean => {
      const fieldName = error.path?.filter((part) => typeof part === 'string').at(-1)
      return Object.values(schema.getTypeMap())
        .filter(isObjectType)
        .flatMap((type) => guardsOf(type.getFields()[String(fieldName)] ?? {}))
        .some(({ rule, hides }) => !hides && !allows(rule, actor) && `${error.extensions.code} ${error.message}` === denial(rule))
    }
  })

  describe('of subscriptions', () => {
    const subscriptions = rootFields(schema, 'subscription')
    const streams: Stream[] = []
    const listen = async (actor: Actor, field: Field, args: Record<string, unknown>): Promise<Stream> => {
      const stream = await follow(test.url, actor, field, args)
      streams.push(stream)
      return stream
    }
    afterAll(async () => {
      for (const stream of streams) await stream.stop()
    })

    /** Something happens to a server of each project. */
    const stir = async (): Promise<void> => {
      for (const world of [owner, other]) {
        const input = { serverId: await world.id('server'), name: `${world.marker} stirred ${Math.random()}` }
        const answer = await world.member.client.raw(
          'mutation ($input: UpdateServerInput!) { updateServer(input: $input) { __typename } }',
          { input },
        )
        if (answer.errors !== undefined) throw new Error(JSON.stringify(answer.errors))
        await world.member.client.raw('mutation ($id: ID!) { rebootServer(input: { serverId: $id, type: HARD }) { __typename } }', {
          id: input.serverId,
        })
        await untilStatus(world.member.client, input.serverId, 'ACTIVE')
      }
    }

    it.each(subscriptions.map((field) => [field.name, field] as const))('%s', async (_name, field) => {
      for (const world of [owner, other]) world.forget('server')
      const nobody = await listen(actors.nobody, field, await argsOf(field, owner))
      await until(
        'the refusal',
        async () => nobody.error,
        (error) => error !== null,
      )
      expect(nobody).toMatchObject({ seen: [], error: 'closed' })
      const own: Record<string, Stream> = {}
      for (const name of ['reader', 'member', 'stranger'] as const) {
        const args = await argsOf(field, name === 'stranger' ? other : owner)
        const stream = await listen(actors[name], field, args)
        const [denied] = denials(field, args, actors[name])
        if (denied === undefined) own[name] = stream
        else
          await until(
            'the refusal',
            async () => stream.error,
            (error) => error === denied,
          )
      }
      const spying: Record<string, Stream> = {}
      const spied: Record<string, string> = {}
      for (const { path, place, field: input } of inputsOf(field)) {
        const key = path.join('.')
        if (!isIdType(input.type) && guardsOf(input).length === 0) continue
        const args = withValue(await argsOf(field, other, [path]), path, isIdType(input.type) ? await owner.id(kindAt(place)) : true)
        spying[key] = await listen(actors.stranger, field, args as Record<string, unknown>)
        spied[key] = denials(field, args as Record<string, unknown>, actors.stranger)[0] ?? ''
      }
      await until(
        'events in every stream',
        async () => {
          await stir()
          return Object.values(own)
        },
        (streams) => streams.every((stream) => stream.seen.length > 0 || stream.error !== null),
      )
      for (const [name, stream] of Object.entries(own)) expect(stream.error, name).toBeNull()
      expect(own.member?.seen.length, 'the member hears of the own project').toBeGreaterThan(0)
      for (const [name, stream] of Object.entries(spying)) {
        const denied = spied[name] ?? ''
        if (denied !== '') expect(stream.error, name).toBe(denied)
        else if (stream.error !== null && !excepted(`subscription ${field.name}: ${name}`)) expect(stream.error, name).toMatch(/^NOT_FOUND/)
        seenBy.stranger?.push(...stream.seen)
      }
      seenBy.stranger?.push(...(own.stranger?.seen ?? []))
      seenBy.reader?.push(...(own.reader?.seen ?? []))
    })
  })

  it('shows nobody anything of a project that is not theirs', async () => {
    for (const [name, world] of [
      ['stranger', owner],
      ['reader', other],
      ['member', other],
    ] as const) {
      const everything = (seenBy[name] ?? []).join('\n')
      const leaks = [...(await world.secrets())].filter((secret) => everything.includes(secret))
      const where = leaks.map((leak) => (seenBy[name] ?? []).find((text) => text.includes(leak))?.slice(0, 300))
      expect(leaks, `${name} has seen: ${where.join('\n')}`).toEqual([])
    }
  })

  it('has no exception more than these, and none that is not needed', () => {
    expect(Object.keys(exceptions)).toHaveLength(23)
    expect(Object.keys(exceptions).filter((name) => !used.has(name))).toEqual([])
    for (const reason of Object.values(exceptions)) expect(reason.length).toBeGreaterThan(20)
  })

  describe('of rules that are denied by the operator', () => {
    const guarded = [...mutations, ...queries].filter((field) => guardsOf(field).length > 0)
    afterEach(() => vi.restoreAllMocks())

    it.each(guarded.map((field) => [field.name, field] as const))('%s looks at its rule, whoever asks', async (_name, field) => {
      if (excepted(`Mutation.${field.name}`)) return
      const rules = rulesOf(field)
      const args = await argsOf(field, owner)
      const { policy: inForce } = test.cloud.plane.services
      const allowed = inForce.allows.bind(inForce)
      vi.spyOn(inForce, 'allows').mockImplementation((rule, caller, target) => !rules.includes(rule) && allowed(rule, caller, target))
      const { document, variables } = call(field, args, isListField(field) ? 'totalCount' : typename(field))
      const answer = await send(actors.admin, document(mutations.includes(field) ? 'mutation' : 'query'), variables)
      // What cannot be looked at is not there: null says so for a single object.
      const nothing = `OK ${JSON.stringify({ [field.name]: null })}`
      expect([...rules.map(denial), nothing]).toContain(told(answer))
    })
  })

  it('knows every rule that the schema names', () => {
    const named = Object.values(schema.getTypeMap()).flatMap((type) =>
      isObjectType(type) || isInputObjectType(type)
        ? Object.values(type.getFields()).flatMap((field) => guardsOf(field).map((guard) => guard.rule))
        : [],
    )
    expect(named.filter((rule) => !isPolicyRuleName(rule))).toEqual([])
  })
})
