/**
 * What a viewer's VNC client may say (RFC 6143): the handshake and requests for pictures. Keys, pointer, clipboard and everything
 * that changes the guest are left out. Encodings that would teach the two sides further messages are not announced, so that the
 * grammar stays the one below.
 */
type Rule =
  | { kind: 'pass'; bytes: number }
  | { kind: 'drop'; bytes: number }
  | { kind: 'encodings' }
  | { kind: 'cut text' }
  | { kind: 'desktop size' }
  | { kind: 'fence' }
  | { kind: 'qemu' }

const rules: Record<number, Rule> = {
  0: { kind: 'pass', bytes: 20 },
  2: { kind: 'encodings' },
  3: { kind: 'pass', bytes: 10 },
  4: { kind: 'drop', bytes: 8 },
  5: { kind: 'drop', bytes: 6 },
  6: { kind: 'cut text' },
  150: { kind: 'drop', bytes: 10 },
  248: { kind: 'fence' },
  250: { kind: 'drop', bytes: 4 },
  251: { kind: 'desktop size' },
  255: { kind: 'qemu' },
}

/** Picture formats, and hints about pictures: quality, compression, cursor shape, size and name of the screen. */
const allowedPseudoEncodings: readonly (readonly [from: number, to: number])[] = [
  [-32, -23],
  [-224, -223],
  [-232, -232],
  [-240, -239],
  [-256, -247],
  [-257, -257],
  [-261, -261],
  [-307, -307],
  [-314, -314],
  [-512, -412],
  [-768, -763],
]
const mayAnnounce = (encoding: number): boolean =>
  encoding >= 0 || allowedPseudoEncodings.some(([from, to]) => encoding >= from && encoding <= to)

const nothing = Buffer.alloc(0)

export class RfbViewFilter {
  #stage: 'version' | 'security' | 'init' | 'messages' = 'version'
  #waiting: Buffer = nothing
  /** Bytes of a dropped message that are still to come. */
  #skip = 0

  /** Answers what may go on to the guest. Throws with a reason when the client cannot be understood. */
  push(chunk: Buffer): Buffer {
    this.#waiting = this.#waiting.length === 0 ? chunk : Buffer.concat([this.#waiting, chunk])
    const passed: Buffer[] = []
    for (;;) {
      const before = this.#waiting.length
      const part = this.#next()
      if (part !== null && part.length > 0) passed.push(part)
      if (part === null || (this.#waiting.length === before && part.length === 0)) break
    }
    return passed.length === 1 ? (passed[0] ?? nothing) : Buffer.concat(passed)
  }

  /** One step; null: more bytes are needed. */
  #next(): Buffer | null {
    if (this.#skip > 0) {
      const skipped = Math.min(this.#skip, this.#waiting.length)
      this.#skip -= skipped
      this.#waiting = this.#waiting.subarray(skipped)
      return skipped === 0 ? null : nothing
    }
    switch (this.#stage) {
      case 'version': {
        const version = this.#take(12)
        if (version === null) return null
        if (!/^RFB 003\.00[78]\n$/.test(version.toString('latin1'))) throw new Error('A view-only console needs RFB 3.7 or 3.8.')
        this.#stage = 'security'
        return version
      }
      case 'security': {
        const type = this.#take(1)
        if (type === null) return null
        if (type[0] !== 1) throw new Error('A view-only console needs the security type None.')
        this.#stage = 'init'
        return type
      }
      case 'init': {
        if (this.#take(1) === null) return null
        this.#stage = 'messages'
        // Always shared: an exclusive viewer would drive the others away.
        return Buffer.from([1])
      }
      case 'messages':
        return this.#message()
    }
  }

  #message(): Buffer | null {
    const head = this.#waiting
    const [type, subType] = head
    if (type === undefined) return null
    const rule = rules[type]
    if (rule === undefined) throw new Error(`A view-only console does not know message ${type}.`)
    switch (rule.kind) {
      case 'pass':
        return this.#take(rule.bytes)
      case 'drop':
        return this.#drop(rule.bytes)
      case 'encodings': {
        if (head.length < 4) return null
        const message = this.#take(4 + 4 * head.readUInt16BE(2))
        return message === null ? null : announced(message)
      }
      case 'cut text':
        // A negative length marks the extended clipboard.
        return head.length < 8 ? null : this.#drop(8 + Math.abs(head.readInt32BE(4)))
      case 'fence':
        return head.length < 9 ? null : this.#drop(9 + head.readUInt8(8))
      case 'desktop size':
        return head.length < 8 ? null : this.#drop(8 + 16 * head.readUInt8(6))
      case 'qemu': {
        if (subType === undefined) return null
        if (subType === 0) return this.#drop(12)
        if (subType !== 1) throw new Error(`A view-only console does not know message 255/${subType}.`)
        if (head.length < 4) return null
        return this.#drop(head.readUInt16BE(2) === 2 ? 10 : 4)
      }
    }
  }

  #take(bytes: number): Buffer | null {
    if (this.#waiting.length < bytes) return null
    const part = this.#waiting.subarray(0, bytes)
    this.#waiting = this.#waiting.subarray(bytes)
    return part
  }

  #drop(bytes: number): Buffer {
    const now = Math.min(bytes, this.#waiting.length)
    this.#skip = bytes - now
    this.#waiting = this.#waiting.subarray(now)
    return nothing
  }
}

function announced(message: Buffer): Buffer {
  const kept: number[] = []
  for (let at = 4; at < message.length; at += 4) {
    const encoding = message.readInt32BE(at)
    if (mayAnnounce(encoding)) kept.push(encoding)
  }
  const answer = Buffer.alloc(4 + 4 * kept.length)
  answer.writeUInt8(2, 0)
  answer.writeUInt16BE(kept.length, 2)
  for (const [index, encoding] of kept.entries()) answer.writeInt32BE(encoding, 4 + 4 * index)
  return answer
}
