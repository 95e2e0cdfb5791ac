/** Messages that come late or twice make no second guest: the journal's fence, and the question before a guest is started. */
import type { AgentWork } from '@kilonova/contract/rpc/agent'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TestCloud } from './cloud.testkit.js'
import { auditCloud, createActive, remove, serverInput, show } from './proof.testkit.js'

interface Sent {
  topic: string
  method: Parameters<TestCloud['cloud']['bus']['cast']>[1]
  input: { key: { serverId: string; direction: string } }
}

describe('old messages', () => {
  let test: TestCloud
  let imageId: string
  const sent: Sent[] = []
  const spy = () => {
    const { bus } = test.cloud
    const cast = bus.cast.bind(bus)
    bus.cast = async (topic, method, input) => {
      if (topic.startsWith('compute.')) sent.push({ topic, method, input: input as Sent['input'] })
      await cast(topic, method, input)
    }
  }
  beforeAll(async () => {
    test = await TestCloud.start({ hosts: 3 })
    spy()
    imageId = await test.image()
  })
  afterAll(() => test?.destroy())

  const works: AgentWork[] = ['prepareDisks', 'spawn']
  /** Delivers everything once sent for the building of a server again, and waits until the agents have dealt with it. */
  const redeliver = async (serverId: string): Promise<number> => {
    const old = sent.filter(({ input, method }) => input.key.serverId === serverId && works.includes(method.name as AgentWork))
    await Promise.all(old.map(({ topic, method, input }) => test.cloud.bus.cast(topic, method, input)))
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    return old.length
  }
  const places = async (serverId: string): Promise<string[]> => {
    const hosts = await Promise.all(
      test.cloud.agents.map(async (agent) => ((await agent.driver.presentServers()).includes(serverId) ? agent.host : null)),
    )
    return hosts.filter((host) => host !== null)
  }

  it('make no second guest of a server that runs, nor after a restart', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'once'))
    const host = (await show(test.admin, id))?.host
    const log = async () =>
      (await test.cloud.agents.find((agent) => agent.host === host)?.driver.consoleLog(id, { tailLines: null, fromOffset: null }))?.output
    const boot = await log()
    expect(await redeliver(id)).toBe(2)
    expect(await places(id)).toEqual([host])
    expect(await log()).toBe(boot)
    await test.close()
    await test.open()
    spy()
    await redeliver(id)
    expect(await places(id)).toEqual([host])
    expect(await log()).toBe(boot)
    expect(await auditCloud(test)).toEqual([])
  })

  it('make no guest of a server that is deleted, nor after a restart', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'gone'))
    await remove(test.admin, id)
    expect(await redeliver(id)).toBe(2)
    expect(await places(id)).toEqual([])
    await test.close()
    await test.open()
    spy()
    await redeliver(id)
    expect(await places(id)).toEqual([])
    expect(await auditCloud(test)).toEqual([])
  })

  it('make no guest on the first host once an alternate has started', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'fail-spawn-on-fake-001 fail-spawn-on-fake-002'))
    expect((await show(test.admin, id))?.host).toBe('fake-003')
    expect(await redeliver(id)).toBeGreaterThan(2)
    expect(await places(id)).toEqual(['fake-003'])
    expect(await auditCloud(test)).toEqual([])
  })

  it('start nothing that nobody waits for, even when the journal is lost', async () => {
    const id = await createActive(test.admin, serverInput(imageId, 'forgotten'))
    const host = (await show(test.admin, id))?.host ?? ''
    await remove(test.admin, id)
    await test.close()
    const { rmSync } = await import('node:fs')
    rmSync(`${test.folder}/hosts/${host}/journal`, { recursive: true })
    await test.open()
    spy()
    const spawn = sent.find(({ input, method }) => input.key.serverId === id && method.name === 'spawn')
    if (spawn === undefined) throw new Error('no spawn was sent')
    await test.cloud.bus.cast(spawn.topic, spawn.method, spawn.input)
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(await places(id)).toEqual([])
  })
})
