import { expect, it } from 'vitest'
import { chooseSubnet } from './subnet-choice.js'

it('takes the first candidate on a host with a default route only', () => {
  expect(chooseSubnet(['default', '192.0.2.0/24', '192.0.2.2', '0.0.0.0/0', 'fd00::/64', '::1'])).toBe('10.96.0.0/20')
})

it.each([
  ['an equal network', ['10.96.0.0/20'], '10.97.0.0/20'],
  ['a network inside', ['10.96.15.0/24'], '10.97.0.0/20'],
  ['one address inside', ['10.96.15.255'], '10.97.0.0/20'],
  ['an address next to it', ['10.96.16.0'], '10.96.0.0/20'],
  ['a network around', ['10.0.0.0/8'], '172.31.240.0/20'],
  ['an address with host bits', ['10.96.200.7/11'], '10.128.0.0/20'],
  ['two whole ranges', ['10.0.0.0/8', '172.16.0.0/12'], '192.168.208.0/20'],
  ['a half of everything', ['0.0.0.0/1'], '172.31.240.0/20'],
])('overlaps not with %s', (_what, taken, choice) => {
  expect(chooseSubnet(taken)).toBe(choice)
})

it('says so when nothing is free', () => {
  expect(() => chooseSubnet(['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'])).toThrow('No private IPv4 network is free')
})
