/** Disabled hosts carry a trait in placement, so that nothing new is placed on them (D-SVC-3). The cell's record decides. */
import type { CellDatabase } from '../cells/cells.service.js'
import { disabledTrait, type PlacementService } from '../placement/placement.service.js'

/**
 * Makes the trait say what the record says. The record and the trait are in different databases: it is looked at again after each
 * write, so that of several that do this at once the last one is right. An agent that starts does it too, which mends what a crash
 * between the two has left.
 */
export async function showDisabled(database: CellDatabase, placement: Pick<PlacementService, 'setTrait'>, host: string): Promise<void> {
  let shown: boolean | undefined
  for (;;) {
    const service = await database.read
      .selectFrom('services')
      .select('disabled')
      .where('host', '=', host)
      .where('binary', '=', 'nova-compute')
      .executeTakeFirst()
    const wanted = service?.disabled === 1
    if (service === undefined || wanted === shown) return
    const nodes = await database.read.selectFrom('compute_nodes').select('uuid').where('host', '=', host).execute()
    for (const { uuid } of nodes) await placement.setTrait(uuid, disabledTrait, wanted)
    shown = wanted
  }
}
