/**
 * A tiny typed XML writer. Everything a user may have chosen (server names, image names) passes through here as data, so no value can
 * ever become markup: the only way to make an element is `element`, and text and attributes are always escaped.
 */

export interface XmlElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, XmlValue>>
  readonly children: readonly XmlChild[]
}

/** Attributes that are undefined are left out. */
export type XmlValue = string | number | undefined
/** Children that are null are left out, so that conditions can be written in place. */
export type XmlChild = XmlElement | string | number | null

export function element(name: string, attributes: Readonly<Record<string, XmlValue>> = {}, ...children: XmlChild[]): XmlElement {
  return { name, attributes, children }
}

/** XML 1.0 has no way to write most control characters and half surrogates, not even escaped: they become U+FFFD. */
const unwritable = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  // Parsers turn a bare one into something else: a line end in text, a blank in attributes.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

export const escapeXml = (text: string): string =>
  text.replace(unwritable, '\ufffd').replace(/[&<>"'\t\n\r]/g, (character) => escapes[character] ?? character)

/** The element as text, two blanks per level. An element holds either text or elements, which keeps white space out of text. */
export function writeXml(root: XmlElement, indent = ''): string {
  const attributes = Object.entries(root.attributes)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value))}"`)
    .join('')
  const children = root.children.filter((child) => child !== null)
  if (children.length === 0) return `${indent}<${root.name}${attributes}/>\n`
  const elements = children.filter((child) => typeof child === 'object')
  if (elements.length < children.length) {
    if (elements.length > 0) throw new Error(`<${root.name}> mixes text and elements.`)
    return `${indent}<${root.name}${attributes}>${children.map((child) => escapeXml(String(child))).join('')}</${root.name}>\n`
  }
  const inner = elements.map((child) => writeXml(child, `${indent}  `)).join('')
  return `${indent}<${root.name}${attributes}>\n${inner}${indent}</${root.name}>\n`
}
