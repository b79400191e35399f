import {shortFormProblem} from '../net/typed.js'
import type {Setting} from './types.js'

/**
 * Endpoints of etcd as v0.20 checks them (cli-v0.20 §1.5): `http[s]://host:port` without path, all of one scheme. Additions are
 * the IPv6 address in brackets and, as Go's client takes it, a slash at the end. What is wrong goes to PROBLEM, one sentence each; a password in a URL
 * is never repeated there, nor what follows a blank: of a line of variables that was quoted wrongly, it may be the password.
 */

type Report = (problem: string) => void

const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/
const IPV6 = /^[0-9A-Fa-f:.]{2,45}$/

/** The URLs of a list like ETCD_ENDPOINTS: comma separated, blanks around an entry do not matter, each one once. */
export function parseEndpoints({value, origin}: Setting<string>, problem: Report): string[] {
  const urls = entriesOf(value).map((entry) => withoutSlash(entry.trim()))
  const schemes = new Set<string>()
  for (const url of urls) {
    const misquoted = misquotedProblem(url)
    if (misquoted !== undefined) {
      problem(`${origin}: ${misquoted}`)
      continue
    }
    const [scheme, address, ...rest] = url.split('://')
    if (scheme === undefined || address === undefined || rest.length > 0) {
      problem(`${origin}: ${url === '' ? 'an entry is empty' : `'${presentable(url)}' does not have the form http://HOST:PORT or https://HOST:PORT`}`)
      continue
    }
    if (!isScheme(scheme)) problem(`${origin}: '${presentable(url)}' begins with neither http:// nor https://`)
    else schemes.add(scheme)
    checkAddress({value: address, origin}, problem)
  }
  if (schemes.size > 1) problem(`${origin}: http and https are mixed; all endpoints must have the same scheme`)
  return [...new Set(urls)]
}

/**
 * The entries of LIST, which commas separate. Commas in user information separate none: it reaches from a user, behind whom no port follows, to the last @ before the
 * next scheme.
 */
const entriesOf = (list: string): string[] => list.split(/,(?=\s*https?:\/\/)/i).flatMap((group) => {
  const parts = group.split(',')
  const last = parts.findLastIndex((part) => USER_END.test(part))
  const first = parts.findIndex((part) => USER_END.test(part) || USER_AND_PASSWORD.test(part.trim()) || part.endsWith(':'))
  return last < 0 ? parts : [...parts.slice(0, first), parts.slice(first, last + 1).join(','), ...parts.slice(last + 1)]
})

/** URL, or HOST:PORT, without a slash at its end. */
export const withoutSlash = (url: string): string => url.replace(/([^/])\/$/, '$1')

/** What is wrong with ENTRY that no endpoint can be meant to have: blanks within, quotation marks. */
function misquotedProblem(entry: string): string | undefined {
  const [, before = '', after = ''] = /^(\S+)\s+([^]*)$/.exec(entry) ?? []
  if (before !== '') {
    const next = /^([A-Za-z_][A-Za-z0-9_]*)=/.exec(after)?.[1]
    const why = next === undefined ? 'separate several endpoints with commas' : `${next}=… follows, which is another variable: in a systemd unit, quote each one separately: Environment="A=1" "B=2"`
    return `there is a space in the endpoint that begins with '${presentable(before)}'; ${why}`
  }
  if (/["']/.test(entry)) return `'${presentable(entry)}' contains quotation marks, which are not part of an endpoint; do not use them in files for docker --env-file`
  return undefined
}

export const isScheme = (scheme: string): scheme is 'http' | 'https' => scheme === 'http' || scheme === 'https'

/** Checks `HOST:PORT`, as in ETCD_AUTHORITY. */
export function checkAddress({value: typed, origin}: Setting<string>, problem: Report): void {
  const misquoted = misquotedProblem(typed.trim())
  if (misquoted !== undefined) {
    problem(`${origin}: ${misquoted}`)
    return
  }
  const value = withoutSlash(typed)
  if (USER_END.test(value)) {
    problem(`${origin}: user name and password are not allowed in a URL; set ETCD_USERNAME and ETCD_PASSWORD`)
    return
  }
  const [, host, port] = /^(\[[^\]]*\]|[^:]*):([^:]*)$/.exec(value) ?? []
  if (host === undefined || port === undefined) {
    const hint = (value.match(/:/g) ?? []).length > 1 ? '; write an IPv6 address in brackets: [fd00::1]:2379' : ''
    problem(`${origin}: '${presentable(value)}' does not have the form HOST:PORT${hint}`)
    return
  }
  if (port.includes('/')) problem(`${origin}: '${presentable(value)}' must end with the port; a path is not allowed`)
  else if (!/^[0-9]{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    problem(`${origin}: ${/^[0-9]*$/.test(port) ? `'${port}' in '${value}'` : `the part after the colon in '${presentable(value)}'`} is not a port between 1 and 65535`)
    if (!/^[0-9]*$/.test(port)) return
  }
  const short = shortFormProblem(host, 'address')
  if (short !== undefined) problem(`${origin}: the address '${host}' in '${value}' ${short}`)
  else if (!isHost(host)) problem(`${origin}: '${host}' in '${value}' is neither a host name nor an IP address`)
}

function isHost(host: string): boolean {
  if (host.startsWith('[')) return isIPv6(host.slice(1, -1))
  return host.length <= 255 && host.split('.').every((label) => LABEL.test(label))
}

/** Whether TEXT is an IPv6 address: decided by the URL parser, which knows nothing but addresses between brackets. */
const isIPv6 = (text: string): boolean => IPV6.test(text) && URL.canParse(`http://[${text}]/`)

/** What ends user information: the @, also where it was encoded although it is no part of the password. */
const USER_END = /@|%40/i

/** USER and what may be PASSWORD, where a host has a port. */
const USER_AND_PASSWORD = /^([a-z]+:\/\/[^:/[\]]*|[^:/[\]]*(?=:[^/])):(?![0-9]{1,5}(?:[/,]|$)).+$/is

/** A list of URLs, or of HOST:PORT, without user information. */
const withoutUser = (text: string): string => text.replace(/^([a-z]{1,10}:\/\/)?.*(?:@|%40)/is, '$1…@')

/**
 * TEXT, a setting that is wrong and should be an endpoint, as it may be repeated in a message: without user information, without what follows a blank,
 * and without what follows a colon and is no port, since it may be a password.
 */
export function presentable(text: string): string {
  const shown = withoutUser(text.replace(/^(\S+)\s[^]*$/, '$1 …'))
  return /^[0-9a-f:.]*$/i.test(shown) ? shown : shown.replace(USER_AND_PASSWORD, '$1:…')
}
