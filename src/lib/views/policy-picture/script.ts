/**
 * What the page does: shows the rules of what is chosen, finds endpoints, zooms. Runs in browsers as it is: no library, no handlers in the markup. ASCII only:
 * the bundle cannot escape other characters in a raw text.
 */
export const PAGE_SCRIPT = String.raw`'use strict'
;(() => {
  const byId = (id) => document.getElementById(id)
  const svg = byId('picture')
  const canvas = byId('canvas')
  const panel = byId('panel')
  const search = byId('search')
  const results = byId('results')
  const {groups, boxes, arrows, rules} = JSON.parse(byId('data').textContent)
  const SVG = 'http://www.w3.org/2000/svg'
  const LISTED = 100
  const FOUND = 30
  const GHOSTS = 400
  const width = svg.viewBox.baseVal.width
  const height = svg.viewBox.baseVal.height
  let scale = 1
  let chosen = ''

  function make(name, properties, ...children) {
    const element = document.createElement(name)
    Object.assign(element, properties)
    element.append(...children)
    return element
  }

  /** A list with an entry for each of ALL, made by ITEM, as far as it is not too long. */
  function list(all, item, className = '') {
    const entries = all.slice(0, LISTED).map((one) => make('li', {}, item(one)))
    if (all.length > LISTED) entries.push(make('li', {className: 'quiet'}, 'and ' + (all.length - LISTED) + ' more'))
    return make('ul', {className}, ...entries)
  }

  const code = (text) => make('code', {}, text)

  function link(target, text) {
    const button = make('button', {type: 'button'}, text)
    button.dataset.target = target
    return button
  }

  const heading = (text) => make('h3', {}, text)

  /** What is known of the arrow ID. */
  function arrowText(id) {
    const {title, shape, mutual, from, to, flows, count, more, rules: own, pairs} = arrows[id]
    const ruleText = ([rule, times]) => (count > 1 && times < count ? rules[rule] + ' (' + times + ' of ' + count + ' pairs)' : rules[rule])
    const parts = [make('h2', {}, title), make('p', {}, ...flows.flatMap((text) => [code(text), ' '])), heading(count > 1 ? 'Rules that allow it, of ' + count + ' pairs of groups' : 'Rules that allow it')]
    const shownRules = list(own, ruleText)
    shownRules.classList.add('rules')
    parts.push(shownRules)
    if (more) parts.push(make('p', {className: 'quiet'}, (more === 1 ? 'One pair passes' : more + ' pairs pass') + ' more than this; ' + (pairs ? 'below with all that passes, and all rules of that.' : 'calicoctl policy matrix lists them.')))
    const boxLinks = (ids) => list(ids, (one) => link(one, boxes[one].name), 'links')
    if (shape === 'within' || shape === 'among') parts.push(heading('In'), boxLinks(from))
    else if (mutual) parts.push(heading('Between'), boxLinks(from))
    else parts.push(heading('From'), boxLinks(from), heading('To'), boxLinks(to))
    if (pairs) {
      parts.push(heading('Each pair'))
      for (const [sender, receiver, all, ...by] of pairs.slice(0, LISTED)) parts.push(make('details', {}, make('summary', {}, groups[sender].name + ' \u2192 ' + groups[receiver].name + (all ? ': ' + all : '')), list(by, (rule) => rules[rule])))
      if (pairs.length > LISTED) parts.push(make('p', {className: 'quiet'}, 'and ' + (pairs.length - LISTED) + ' more; calicoctl policy matrix lists them all'))
    }
    return parts
  }

  /** What is known of GROUP. */
  function groupText({unknown, node, profiles, labels, networks, endpoints}) {
    const parts = []
    if (unknown) parts.push(make('p', {}, make('strong', {}, 'Its traffic cannot be determined: '), unknown + '.'))
    if (node) parts.push(make('p', {}, 'On node ', code(node)))
    for (const [title, all] of [['Profiles', profiles], ['Labels', labels], ['Networks', networks], ['Endpoints', endpoints]]) if (all) parts.push(heading(title), list(all, code))
    return parts
  }

  /** What is known of the box ID. */
  function boxText(id) {
    const {name, detail, groups: own, arrows: near} = boxes[id]
    const parts = [make('h2', {}, name), make('p', {}, detail)]
    const others = (ends) => ends.filter((other) => other !== id).map((other) => boxes[other].name)
    const passing = (arrow, ends) => (ends.length > 4 ? ends.slice(0, 3).join(', ') + ' and ' + (ends.length - 3) + ' more' : ends.join(', ')) + ': ' + arrows[arrow].flows.join(' ')
    const sides = [
      ['Inside', near.filter((arrow) => arrows[arrow].shape === 'within' || arrows[arrow].shape === 'among'), (arrow) => arrows[arrow].title],
      ['Reached by', near.filter((arrow) => arrows[arrow].to.includes(id) && others(arrows[arrow].from).length > 0), (arrow) => passing(arrow, others(arrows[arrow].from))],
      ['It reaches', near.filter((arrow) => arrows[arrow].from.includes(id) && others(arrows[arrow].to).length > 0), (arrow) => passing(arrow, others(arrows[arrow].to))],
    ]
    for (const [title, all, text] of sides) if (all.length > 0) parts.push(heading(title), list(all, (arrow) => link(arrow, text(arrow)), 'links'))
    if (near.length === 0 && !own.some((number) => groups[number].unknown)) parts.push(make('p', {}, 'No traffic to or from it is allowed.'))
    if (own.length === 1) parts.push(...groupText(groups[own[0]]))
    else for (const number of own) parts.push(make('details', {}, make('summary', {}, groups[number].name), ...groupText(groups[number])))
    return parts
  }

  const elementsOf = (id) => (arrows[id] ? [...svg.querySelectorAll('[data-arrow="' + id + '"]')] : [byId(id)])

  /** The ends of ARROW across from the box ID. */
  function acrossFrom(id, arrow) {
    const {from, to} = arrows[arrow]
    return new Set([...(from.includes(id) ? to : []), ...(to.includes(id) ? from : [])])
  }

  /** Gives the class NAME to all that belongs to the arrow ID, or to the arrows of the box ID, as far as they are its own. */
  function mark(id, name) {
    for (const arrow of arrows[id] ? [id] : boxes[id].arrows) {
      const ends = arrows[id] ? null : acrossFrom(id, arrow).add(id)
      for (const one of elementsOf(arrow)) if (!ends || !one.dataset.end || ends.has(one.dataset.end)) one.classList.add(name)
    }
  }

  /** Lines to the other ends of what is only text in the boxes. */
  function drawGhosts(ids) {
    for (const old of svg.querySelectorAll('.ghost')) old.remove()
    const drawn = []
    for (const id of ids) {
      const {shape, from, to, flows} = arrows[id]
      if (shape !== 'from' && shape !== 'to') continue
      for (const sender of from) for (const receiver of to) if (sender !== receiver && (arrows[chosen] || sender === chosen || receiver === chosen)) drawn.push([sender, receiver, flows])
    }
    for (const [sender, receiver, flows] of drawn.slice(0, GHOSTS)) {
      const [start, end] = [edge(boxes[sender].at, boxes[receiver].at), edge(boxes[receiver].at, boxes[sender].at)]
      const length = Math.hypot(end[0] - start[0], end[1] - start[1]) || 1
      const [dx, dy] = [(end[0] - start[0]) / length, (end[1] - start[1]) / length]
      const path = document.createElementNS(SVG, 'path')
      path.setAttribute('class', 'ghost' + (flows.some((text) => text.startsWith('all')) ? ' all' : ''))
      path.setAttribute('d', 'M' + start.join(' ') + ' L' + end.join(' ') + ' M' + [end[0] - dx * 9 - dy * 4, end[1] - dy * 9 + dx * 4].join(' ') + ' L' + end.join(' ') + ' L' + [end[0] - dx * 9 + dy * 4, end[1] - dy * 9 - dx * 4].join(' '))
      svg.insertBefore(path, svg.querySelector('.box'))
    }
  }

  /** Where the line from the middle of the box BOX to that of OTHER leaves it. */
  function edge([x, y, w, h], [ox, oy, ow, oh]) {
    const [cx, cy] = [x + w / 2, y + h / 2]
    const [dx, dy] = [ox + ow / 2 - cx, oy + oh / 2 - cy]
    const factor = Math.min(w / 2 / Math.max(Math.abs(dx), 0.01), h / 2 / Math.max(Math.abs(dy), 0.01))
    return [cx + dx * factor, cy + dy * factor]
  }

  /** Shows what is known of the box or arrow ID; '' = of nothing. */
  function choose(id) {
    chosen = id
    for (const one of svg.querySelectorAll('.chosen, .near')) one.classList.remove('chosen', 'near')
    svg.classList.toggle('focused', id !== '')
    byId('nothing').hidden = id !== ''
    byId('chosen').hidden = id === ''
    byId('chosen').replaceChildren(...(id === '' ? [] : arrows[id] ? arrowText(id) : boxText(id)))
    drawGhosts(id === '' ? [] : arrows[id] ? [id] : boxes[id].arrows)
    panel.scrollTop = 0
    if (id === '') return
    mark(id, 'near')
    for (const box of arrows[id] ? new Set([...arrows[id].from, ...arrows[id].to]) : [id, ...boxes[id].arrows.flatMap((arrow) => [...acrossFrom(id, arrow)])]) byId(box).closest('.box').classList.add('near')
    for (const one of elementsOf(id)) one.classList.add('chosen')
  }

  function reveal(id) {
    choose(id)
    const element = byId(id) || elementsOf(id)[0]
    element.focus({preventScroll: true})
    element.scrollIntoView({block: 'center', inline: 'center'})
  }

  const buttonOf = (target) => target.closest('svg [data-arrow], svg [role=button], button[data-target]')
  const idOf = (element) => element.dataset.target || element.dataset.arrow || element.id

  function activate(element) {
    if (element.dataset.target) reveal(element.dataset.target)
    else choose(idOf(element))
  }

  svg.addEventListener('click', ({target}) => {
    const element = buttonOf(target)
    if (element) activate(element)
    else choose('')
  })
  panel.addEventListener('click', ({target}) => {
    const element = buttonOf(target)
    if (element) activate(element)
  })

  /** What stands out while the mouse or the focus is on the element TARGET; null: nothing. */
  function warm(target) {
    for (const one of svg.querySelectorAll('.warm')) one.classList.remove('warm')
    const element = target && buttonOf(target)
    if (!element || !svg.contains(element)) return
    mark(idOf(element), 'warm')
  }
  svg.addEventListener('pointerover', ({target}) => warm(target))
  svg.addEventListener('pointerleave', () => warm(null))
  // Not on the image itself, which would become an element that Tab stops at.
  canvas.addEventListener('focusin', ({target}) => warm(target))
  canvas.addEventListener('focusout', () => warm(null))

  const DIRECTIONS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}

  /** Moves the focus from ELEMENT to the nearest other one in the direction KEY. */
  function step(element, key) {
    const [dx, dy] = DIRECTIONS[key]
    const middle = (one) => {
      const {left, top, width: w, height: h} = one.getBoundingClientRect()
      return [left + w / 2, top + h / 2]
    }
    const [x, y] = middle(element)
    let best = null
    let least = Infinity
    for (const one of svg.querySelectorAll('[role=button]')) {
      if (one === element) continue
      const [ox, oy] = middle(one)
      const ahead = (ox - x) * dx + (oy - y) * dy
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx)
      const distance = ahead + 2.5 * aside
      if (ahead > 2 && distance < least) [best, least] = [one, distance]
    }
    if (!best) return
    best.focus({preventScroll: true})
    best.scrollIntoView({block: 'nearest', inline: 'nearest'})
  }

  svg.addEventListener('keydown', (event) => {
    const element = event.target.closest('[role=button]')
    if (!element || event.ctrlKey || event.metaKey || event.altKey) return
    if (DIRECTIONS[event.key]) step(element, event.key)
    else if (event.key === 'Enter' || event.key === ' ') {
      if (idOf(element) === chosen) panel.focus()
      else activate(element)
    } else return
    event.preventDefault()
  })

  const index = groups.flatMap((group, number) => {
    const box = Object.keys(boxes).find((id) => boxes[id].groups.includes(number))
    const entry = (text, kind) => ({text, low: text.toLowerCase(), kind, box, group: group.name})
    return [
      entry(group.name, 'group'),
      ...(group.profiles || []).map((text) => entry(text, 'profile')),
      ...(group.networks || []).map((text) => entry(text, 'network')),
      ...(group.labels || []).map((text) => entry(text, 'label')),
      ...(group.endpoints || []).map((text) => entry(text, 'endpoint')),
    ]
  })

  function find() {
    const wanted = search.value.trim().toLowerCase()
    const rank = ({low}) => (low === wanted ? 0 : low.startsWith(wanted) ? 1 : 2)
    const found = wanted === '' ? [] : index.filter(({low}) => low.includes(wanted)).sort((a, b) => rank(a) - rank(b))
    const items = found.slice(0, FOUND).map(({text, kind, box, group}) => make('li', {}, link(box, kind === 'group' ? 'group ' + text : kind + ' ' + text + ' (in group ' + group + ')')))
    if (found.length > FOUND) items.push(make('li', {className: 'quiet'}, 'and ' + (found.length - FOUND) + ' more'))
    if (wanted !== '' && found.length === 0) items.push(make('li', {className: 'quiet'}, 'No name contains this.'))
    results.replaceChildren(...items)
    results.hidden = wanted === ''
  }
  search.addEventListener('input', find)
  search.addEventListener('focus', find)
  search.addEventListener('keydown', (event) => {
    const first = results.querySelector('button')
    if (!first) return
    if (event.key === 'Enter') activateResult(first)
    else if (event.key === 'ArrowDown') {
      event.preventDefault()
      first.focus()
    }
  })
  function activateResult(button) {
    results.hidden = true
    reveal(button.dataset.target)
  }
  results.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return
    event.preventDefault()
    const all = [...results.querySelectorAll('button')]
    const next = all[all.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1)]
    if (next) next.focus()
    else if (event.key === 'ArrowUp') search.focus()
  })
  results.addEventListener('click', ({target}) => {
    const button = buttonOf(target)
    if (button) activateResult(button)
  })
  document.addEventListener('pointerdown', ({target}) => {
    if (!target.closest('.find')) results.hidden = true
  })

  function zoom(wanted) {
    scale = Math.min(4, Math.max(0.1, wanted))
    svg.setAttribute('width', String(width * scale))
    svg.setAttribute('height', String(height * scale))
  }
  const fitting = () => Math.min((canvas.clientWidth - 2) / width, (canvas.clientHeight - 2) / height)

  document.addEventListener('keydown', (event) => {
    const typing = event.target === search
    if (event.ctrlKey || event.metaKey || event.altKey) return
    if (event.key === 'Escape') {
      const searching = !results.hidden || typing
      search.value = ''
      find()
      if (searching) {
        search.blur()
        return
      }
      const back = chosen
      choose('')
      if (back && panel.contains(document.activeElement)) (byId(back) || elementsOf(back)[0]).focus()
    } else if (event.key === '/' && !typing) {
      event.preventDefault()
      search.focus()
      search.select()
    } else if (!typing && ['+', '=', '-', '0'].includes(event.key)) zoom(event.key === '0' ? fitting() : event.key === '-' ? scale / 1.25 : scale * 1.25)
  })
  byId('larger').addEventListener('click', () => zoom(scale * 1.25))
  byId('smaller').addEventListener('click', () => zoom(scale / 1.25))
  byId('fit').addEventListener('click', () => zoom(fitting()))

  // All of it where that can be read; else the box with the most arrows.
  zoom(Math.min(1.3, Math.max(0.75, fitting())))
  if (fitting() < scale) {
    const busiest = Object.keys(boxes).reduce((best, id) => (boxes[id].lines > boxes[best].lines ? id : best), Object.keys(boxes)[0])
    const [x, y, w, h] = boxes[busiest].at
    canvas.scrollTo((x + w / 2) * scale - canvas.clientWidth / 2, (y + h / 2) * scale - canvas.clientHeight / 2)
  }
  byId('all').append(...Object.keys(boxes).map((id) => make('li', {}, link(id, boxes[id].name + ' (' + boxes[id].detail + ')'))))
  choose('')
})()
`
