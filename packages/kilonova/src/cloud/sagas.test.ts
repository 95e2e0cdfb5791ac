/**
 * Proofs made for every task of the conductor alike: a fault at each step, before and after its effect; each action twice; each undo
 * twice and failing once. A task unwinds or completes by the side of the pivot the fault is on, and leaves nothing.
 */

import { cancelLimits } from '@kilonova/api/conductor/cancellable'
import type { WrapSaga } from '@kilonova/api/conductor/conductors'
import { type SagaDefinition, WorkFailedError } from '@kilonova/api/conductor/saga'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { dialects, TestCloud, until } from './cloud.testkit.js'
import { auditCloud, create, createActive, remove, serverInput, settled, show, untilStatus } from './proof.testkit.js'

type Mode = 'before' | 'after' | 'twice' | 'undo-twice' | 'undo-fails'
interface Fault {
  kind: string
  step: string
  mode: Mode
  /** How often it strikes. */
  times: number
  hostAtFault: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: a wrapper works on definitions of any state
type Definition = SagaDefinition<any, any>

class Faults {
  readonly definitions = new Map<string, Definition>()
  armed: Fault[] = []
  struck = 0

  readonly wrap: WrapSaga = (definition) => {
    this.definitions.set(definition.kind, definition)
    const steps = definition.steps.map((step) => ({
      ...step,
      action: async (run: Parameters<typeof step.action>[0]) => {
        this.#strike(definition.kind, step.name, 'before')
        const outcome = await step.action(run)
        if (this.#takes(definition.kind, step.name, 'twice')) {
          if (outcome.kind !== 'wait') return step.action(run)
          const { send } = outcome
          return { ...outcome, send: twice(send) }
        }
        if (outcome.kind === 'done') this.#strike(definition.kind, step.name, 'after')
        return outcome
      },
      onReport: (run: Parameters<typeof step.action>[0], result: Record<string, unknown>) => {
        this.#strike(definition.kind, step.name, 'after')
        return step.onReport?.(run, result) ?? {}
      },
      ...(step.undo === undefined
        ? {}
        : {
            undo: async (run: Parameters<typeof step.action>[0]) => {
              this.#strike(definition.kind, step.name, 'undo-fails')
              const outcome = await step.undo?.(run)
              if (outcome === undefined) throw new Error('no undo')
              if (!this.#takes(definition.kind, step.name, 'undo-twice')) return outcome
              if (outcome.kind !== 'wait') return (await step.undo?.(run)) ?? outcome
              const { send } = outcome
              return { ...outcome, send: twice(send) }
            },
          }),
    }))
    return { ...definition, steps } as typeof definition
  }

  arm(fault: Omit<Fault, 'times' | 'hostAtFault'> & Partial<Fault>): void {
    this.armed.push({ times: 1, hostAtFault: false, ...fault })
  }

  disarm(): void {
    this.armed = []
    this.struck = 0
  }

  #takes(kind: string, step: string, mode: Mode): boolean {
    const fault = this.armed.find((one) => one.kind === kind && one.step === step && one.mode === mode && one.times > 0)
    if (fault === undefined) return false
    fault.times--
    this.struck++
    return true
  }

  #strike(kind: string, step: string, mode: Mode): void {
    const hostAtFault = this.armed.some((one) => one.kind === kind && one.step === step && one.hostAtFault)
    if (this.#takes(kind, step, mode)) throw new WorkFailedError({ code: 'GUEST_ERROR', message: `planted ${mode} ${step}` }, hostAtFault)
  }
}

const twice =
  <Key>(send: (key: Key) => Promise<void>) =>
  async (key: Key): Promise<void> => {
    await send(key)
    await send(key)
  }

/** Which way a run ended. */
type End = 'done' | 'unwound'

/** How a server comes into a state from ACTIVE. */
const ways = {
  active: { status: 'ACTIVE', mutation: null },
  stopped: { status: 'SHUTOFF', mutation: 'stopServer' },
  paused: { status: 'PAUSED', mutation: 'pauseServer' },
  suspended: { status: 'SUSPENDED', mutation: 'suspendServer' },
} as const

const kinds = [
  'build',
  'build_on_host',
  'delete',
  'start',
  'stop',
  'reboot_soft',
  'reboot_hard',
  'pause',
  'unpause',
  'suspend',
  'resume',
  'import_image',
] as const
type Kind = (typeof kinds)[number]

describe.each(dialects)('every task on %s', (dialect) => {
  const faults = new Faults()
  let test: TestCloud
  let imageId: string
  beforeAll(async () => {
    test = await TestCloud.start({ dialect, hosts: 3, wrapSaga: faults.wrap })
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())
  afterEach(() => faults.disarm())

  const act = (id: string, mutation: string, more = '') =>
    test.admin.ask<Record<string, { operation: { id: string } }>>(
      `mutation ($id: ID!) { ${mutation}(input: { serverId: $id${more} }) { operation { id } } }`,
      { id },
    )

  /** Begins a task; the answer waits for its end and clears up. */
  const scenarios: Record<Kind, () => Promise<() => Promise<End>>> = {
    build: () => building(),
    build_on_host: () => building(),
    delete: async () => {
      const id = await createActive(test.admin, serverInput(imageId, 'doomed'))
      return async () => {
        await remove(test.admin, id)
        return 'done'
      }
    },
    start: () => power('startServer', 'stopped', 'ACTIVE'),
    stop: () => power('stopServer', 'active', 'SHUTOFF'),
    reboot_soft: () => power('rebootServer', 'active', 'ACTIVE', ', type: SOFT'),
    reboot_hard: () => power('rebootServer', 'active', 'ACTIVE', ', type: HARD'),
    pause: () => power('pauseServer', 'active', 'PAUSED'),
    unpause: () => power('unpauseServer', 'paused', 'ACTIVE'),
    suspend: () => power('suspendServer', 'active', 'SUSPENDED', '', 'ERROR'),
    resume: () => power('resumeServer', 'suspended', 'ACTIVE', '', 'ERROR'),
    import_image: async () => async () => {
      const { createImage } = await test.admin.ask<{ createImage: { image: { id: string } } }>(
        'mutation { createImage(input: { name: "one more", diskFormat: RAW }) { image { id } } }',
      )
      const { id } = createImage.image
      await test.upload(id, Buffer.alloc(4096, 'x'))
      const { image } = await until(
        'the import',
        () => test.admin.ask<{ image: { status: string } }>('query ($id: ID!) { image(id: $id) { status } }', { id }),
        ({ image: { status } }) => status === 'ACTIVE' || status === 'QUEUED',
      )
      await settled(test)
      if (image.status === 'ACTIVE') return 'done'
      await test.admin.ask('mutation ($id: ID!) { deleteImage(input: { imageId: $id }) { deletedId } }', { id })
      return 'unwound'
    },
  }

  async function building(): Promise<() => Promise<End>> {
    return async () => {
      const { server } = await create(test.admin, serverInput(imageId, 'built'))
      const ended = await untilStatus(test.admin, server.id, 'ACTIVE', 'ERROR')
      if (ended?.status === 'ERROR') {
        expect(ended.host, 'an unwound build is on no host').toBeNull()
        expect(ended.fault?.message).toContain('planted')
      }
      expect(await auditCloud(test)).toEqual([])
      await remove(test.admin, server.id)
      return ended?.status === 'ACTIVE' ? 'done' : 'unwound'
    }
  }

  /** `failed`: the status after a failure, where it is not the one before. */
  async function power(
    mutation: string,
    before: keyof typeof ways,
    after: string,
    more = '',
    failed: string = ways[before].status,
  ): Promise<() => Promise<End>> {
    const id = await createActive(test.admin, serverInput(imageId, 'switched'))
    const way = ways[before]
    if (way.mutation !== null) {
      await act(id, way.mutation)
      await untilStatus(test.admin, id, way.status)
    }
    return async () => {
      const begun = await act(id, mutation, more)
      const operationId = begun[mutation]?.operation.id
      const { operation } = await until(
        mutation,
        () => test.admin.ask<{ operation: { state: string } }>('query ($id: ID!) { operation(id: $id) { state } }', { id: operationId }),
        ({ operation: { state } }) => state !== 'RUNNING' && state !== 'QUEUED',
      )
      const server = await show(test.admin, id)
      const hasFailed = operation.state === 'FAILED'
      expect(server?.status).toBe(hasFailed ? failed : after)
      await remove(test.admin, id)
      return hasFailed ? 'unwound' : 'done'
    }
  }

  const stepsOf = (kind: Kind) => {
    const definition = faults.definitions.get(kind)
    if (definition === undefined) throw new Error(`no task ${kind}`)
    const pivot = definition.steps.findIndex((step) => step.name === definition.pivot)
    return definition.steps.map((step, index) => ({ ...step, beforePivot: pivot < 0 || index < pivot }))
  }

  it('can be cancelled no longer than its pivot allows', () => {
    for (const { kind, steps, pivot } of faults.definitions.values()) {
      const limit = cancelLimits[kind]
      expect(limit, kind).toBeDefined()
      const index = steps.findIndex((step) => step.name === pivot)
      if (index >= 0 && typeof limit === 'number') expect(limit, kind).toBe(index)
      if (index >= 0) expect(limit, kind).not.toBe('unasked')
      // What can be stopped at any moment has a way back from every step.
      if (index < 0 && limit !== 'unasked') for (const step of steps) expect(step.undo, `${kind} ${step.name}`).toBeDefined()
    }
    expect(Object.keys(cancelLimits).sort()).toEqual([...faults.definitions.keys()].sort())
  })

  it('is in the list of this test', () => {
    expect([...faults.definitions.keys()].sort()).toEqual([...kinds].sort())
  })

  describe.each(kinds)('%s', (kind) => {
    it.each(['before', 'after'] as const)('unwinds or completes when any step fails %s its effect, and leaves nothing', async (mode) => {
      for (const step of stepsOf(kind)) {
        const run = await scenarios[kind]()
        faults.disarm()
        faults.arm({ kind, step: step.name, mode, times: step.beforePivot ? 1 : 2 })
        const end = await run()
        expect(faults.struck, `${step.name} was struck`).toBe(step.beforePivot ? 1 : 2)
        expect(end, step.name).toBe(step.beforePivot ? 'unwound' : 'done')
        expect(await auditCloud(test), step.name).toEqual([])
      }
    })

    it('comes to the same end when every action runs twice', async () => {
      const run = await scenarios[kind]()
      faults.disarm()
      const steps = stepsOf(kind)
      for (const step of steps) faults.arm({ kind, step: step.name, mode: 'twice' })
      expect(await run()).toBe('done')
      expect(faults.struck).toBe(steps.length)
      expect(await auditCloud(test)).toEqual([])
    })

    it.each(['undo-twice', 'undo-fails'] as const)('comes to the same end under %s at every undo', async (mode) => {
      const steps = stepsOf(kind).filter((step) => step.beforePivot)
      const last = steps.at(-1)
      const undoable = steps.filter((step) => step.undo !== undefined)
      if (last === undefined) return expect(kind).toBe('delete')
      const run = await scenarios[kind]()
      faults.disarm()
      faults.arm({ kind, step: last.name, mode: 'after' })
      for (const step of undoable) faults.arm({ kind, step: step.name, mode })
      expect(await run()).toBe('unwound')
      expect(faults.struck).toBe(undoable.length + 1)
      expect(await auditCloud(test)).toEqual([])
    })
  })

  it('A-LAUNCH-18 builds on an alternate when the host is at fault at any step, leaving nothing on the first', async () => {
    for (const step of stepsOf('build_on_host')) {
      faults.disarm()
      faults.arm({ kind: 'build_on_host', step: step.name, mode: 'after', hostAtFault: true })
      expect(await (await building())()).toBe('done')
      expect(faults.struck).toBe(1)
      expect(await auditCloud(test), step.name).toEqual([])
    }
  })
})
