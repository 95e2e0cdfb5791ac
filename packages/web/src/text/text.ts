/**
 * Everything the dashboard says, in one place. A language is a module of the type `Text`; another one is added beside English and
 * chosen here. Sentences with something in them are functions, so that each language orders and inflects as it likes; the types make
 * sure that no sentence and no part of one is forgotten.
 */

import { activity } from './english-activity.js'
import { flavors } from './english-flavors.js'
import { hosts } from './english-hosts.js'
import { identity } from './english-identity.js'
import { images } from './english-images.js'
import { keypairs } from './english-keypairs.js'
import { launch } from './english-launch.js'
import { properties } from './english-properties.js'
import { quotas } from './english-quotas.js'
import { servers } from './english-servers.js'
import { shell } from './english-shell.js'

const english = { shell, servers, launch, quotas, flavors, images, keypairs, properties, identity, activity, hosts }

export type Text = typeof english

export const text: Text = english
