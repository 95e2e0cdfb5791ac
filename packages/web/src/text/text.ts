/**
 * Everything the dashboard says, in one place. A language is a module of the type `Text`; another one is added beside English and
 * chosen here. Sentences with something in them are functions, so that each language orders and inflects as it likes; the types make
 * sure that no sentence and no part of one is forgotten.
 */
import { launch } from './english-launch.js'
import { quotas } from './english-quotas.js'
import { servers } from './english-servers.js'
import { shell } from './english-shell.js'

const english = { shell, servers, launch, quotas }

export type Text = typeof english

export const text: Text = english
