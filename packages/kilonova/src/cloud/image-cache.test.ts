/** The agent tells its driver from time to time which images its guests need, so that the rest can go. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { TestCloud, until } from './cloud.testkit.js'
import { createActive, fakeDriver, remove, serverInput } from './proof.testkit.js'

describe('the image cache', () => {
  let test: TestCloud
  beforeAll(async () => {
    test = await TestCloud.start({
      hosts: 1,
      config: { image_cache: { manager_interval: 1, remove_unused_original_minimum_age_seconds: 77 } },
    })
  })
  afterAll(() => test?.destroy())

  it('C-IMC-2 keeps what the guests of the host were made from, and nothing else', async () => {
    const clean = vi.spyOn(fakeDriver(test, 'fake-001'), 'cleanImages')
    const imageId = await test.image()
    const last = (): unknown => clean.mock.lastCall
    const untilTold = (used: string[]): Promise<unknown> =>
      until(
        `a look at the cache with ${used.length} images in use`,
        async () => JSON.stringify(last()),
        (told) => told === JSON.stringify([used, 77]),
      )
    await untilTold([])
    const ids = [await createActive(test.admin, serverInput(imageId, 'one')), await createActive(test.admin, serverInput(imageId, 'two'))]
    await untilTold([imageId])
    for (const id of ids) await remove(test.admin, id)
    await untilTold([])
    expect(clean.mock.calls.length).toBeGreaterThan(2)
  })
})
