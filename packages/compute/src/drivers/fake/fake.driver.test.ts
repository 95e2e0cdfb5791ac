/** The simulated hypervisor keeps the contract of a driver. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { powerStates } from '@kilonova/contract/server-states'
import { systemClock } from '@kilonova/runtime/clock'
import { allocationOf, computeOptions } from '../../config.js'
import { driverSuite } from '../driver-suite.testkit.js'
import { FakeDriver } from './fake.driver.js'

driverSuite('fake', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kilonova-fake-'))
  const make = async (): Promise<FakeDriver> => {
    const made = new FakeDriver({
      host: 'fake-001',
      nodeId: '5e5e5e5e-0000-4000-8000-000000000001',
      folder,
      clock: systemClock,
      capacity: { vcpus: 8, memoryMb: 8192, diskGb: 100 },
      delays: { prepareDisks: 0, spawn: 0, power: 0 },
      allocation: allocationOf(computeOptions.compute.parse({})),
    })
    await made.start()
    return made
  }
  let driver = await make()
  return {
    get driver() {
      return driver
    },
    guest: (spec) => spec,
    untilUp: async () => {},
    // The name of the server makes it so.
    ignoreShutdown: async () => {},
    endByItself: async (serverId) => driver.simulatePowerState(serverId, powerStates.SHUTDOWN),
    restart: async () => {
      await driver.close()
      driver = await make()
      return driver
    },
    close: async () => {
      await driver.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
})
