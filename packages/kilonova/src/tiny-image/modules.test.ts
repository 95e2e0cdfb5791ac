import { expect, it } from 'vitest'
import { loadOrder } from './modules.js'

const dependencies = [
  'kernel/drivers/virtio/virtio.ko:',
  'kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko',
  'kernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
  'kernel/drivers/char/hw_random/virtio-rng.ko.xz: kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko',
  '',
].join('\n')

it('puts each module once, after what it needs', () => {
  expect(loadOrder(['virtio_blk', 'virtio_rng'], dependencies, '')).toEqual([
    'kernel/drivers/virtio/virtio.ko',
    'kernel/drivers/virtio/virtio_ring.ko',
    'kernel/drivers/block/virtio_blk.ko',
    'kernel/drivers/char/hw_random/virtio-rng.ko.xz',
  ])
})

it('skips what is built in and refuses what is nowhere', () => {
  expect(loadOrder(['evdev'], dependencies, 'kernel/drivers/input/evdev.ko\n')).toEqual([])
  expect(() => loadOrder(['evdev'], dependencies, '')).toThrow('no module evdev')
})
