/**
 * The looks of the picture, light and dark. Blue, orange and vermilion (Okabe and Ito) stay apart for colour-blind people; thickness, dashes and words say
 * the same. Colours are written out, not as variables: programs other than browsers show the image too.
 */

interface Theme {
  readonly ground: string
  readonly face: string
  readonly text: string
  readonly soft: string
  readonly border: string
  readonly some: string
  readonly all: string
  readonly host: string
  readonly chosen: string
}

const LIGHT: Theme = {ground: '#ffffff', face: '#f4f7fa', text: '#1b1f24', soft: '#4f5861', border: '#7d8791', some: '#00609c', all: '#b34400', host: '#8a5c00', chosen: '#fff0b8'}
const DARK: Theme = {ground: '#14181d', face: '#20262d', text: '#eef2f6', soft: '#aab4be', border: '#74808b', some: '#64bcef', all: '#ff9257', host: '#e6b04c', chosen: '#4d4213'}

const colours = ({ground, face, text, soft, border, some, all, host}: Theme): string => `.ground{fill:${ground}}
svg text{fill:${text}}
.frame{fill:${face};stroke:${border}}
.edge{fill:${some}}
.host .edge{fill:${host}}
.outside .edge{fill:${soft}}
svg .detail,svg .member,svg .heading{fill:${soft}}
.line{stroke:${some}}
.head{fill:${some}}
.all .line{stroke:${all}}
.all .head{fill:${all}}
.pill{fill:${ground};stroke:${some}}
.all .pill{stroke:${all}}
svg .some text{fill:${some}}
svg .all text{fill:${all}}`

/** Of the image. */
export const PICTURE_STYLE = `svg{font-family:system-ui,"DejaVu Sans",sans-serif;font-size:12px}
.frame{stroke-width:1}
.outside .frame{stroke-dasharray:6 3}
.unknown .frame{stroke-dasharray:2 3;stroke-width:2}
.name{font-size:14px;font-weight:600}
.line{fill:none;stroke-width:1.4}
.all .line{stroke-width:2.4}
.hit{fill:none;stroke:none}
.pill{stroke-width:1}
.all .pill{stroke-width:2}
.label{text-anchor:middle}
.busy .wire{opacity:.45}
${colours(LIGHT)}
@media (prefers-color-scheme:dark){
${colours(DARK)}
}`

const variables = (theme: Theme): string => Object.entries(theme).map(([name, value]) => `--${name}:${value as string}`).join(';')

/** Of the page around it. */
export const PAGE_STYLE = `:root{color-scheme:light dark;${variables(LIGHT)}}
@media (prefers-color-scheme:dark){:root{${variables(DARK)}}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html,body{height:100%;margin:0}
body{display:flex;flex-direction:column;background:var(--ground);color:var(--text);font:14px/1.45 system-ui,"DejaVu Sans",sans-serif}
header{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;padding:8px 16px;border-bottom:1px solid var(--border)}
h1{font-size:16px;margin:0}
h2{font-size:15px;margin:0 0 8px;overflow-wrap:anywhere}
h3{font-size:13px;margin:14px 0 4px}
p{margin:0 0 8px;overflow-wrap:anywhere}
.find{position:relative;flex:1 1 240px;max-width:460px}
input{width:100%;font:inherit;padding:5px 8px;color:inherit;background:var(--face);border:1px solid var(--border);border-radius:6px}
button{font:inherit;color:inherit;background:var(--face);border:1px solid var(--border);border-radius:6px;padding:4px 9px;cursor:pointer}
#results{position:absolute;z-index:2;left:0;right:0;top:100%;margin:4px 0 0;padding:4px;list-style:none;background:var(--face);border:1px solid var(--border);border-radius:6px;max-height:60vh;overflow:auto}
#results button,.links button{display:block;width:100%;text-align:left;border:0;background:none;overflow-wrap:anywhere;padding:3px 6px}
#results button:hover,#results button:focus,.links button:hover,.links button:focus{background:var(--chosen)}
.legend{display:flex;flex-wrap:wrap;gap:4px 14px;margin:0;padding:0;list-style:none;color:var(--soft);font-size:12px}
.legend span{display:inline-block;vertical-align:middle;width:22px;margin-right:5px;border-top:2px solid var(--some)}
.legend .every span{border-top:4px solid var(--all)}
main{flex:1;display:flex;min-height:0}
#canvas{flex:1;overflow:auto;min-width:0}
#panel{width:350px;overflow:auto;padding:14px 16px;border-left:1px solid var(--border)}
#panel ul{margin:0;padding-left:18px}
#panel ul.links{padding:0;list-style:none}
#panel li{overflow-wrap:anywhere}
summary{cursor:pointer;overflow-wrap:anywhere}
.quiet{color:var(--soft)}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace;font-size:12px;overflow-wrap:anywhere}
kbd{border:1px solid var(--border);border-radius:4px;padding:0 5px;font-size:12px}
svg{display:block}
svg [role=button]{cursor:pointer;outline:none}
.wire{cursor:pointer}
svg .hit{pointer-events:all;stroke:transparent}
svg path.hit{pointer-events:stroke;stroke-width:12px}
svg [role=button]:focus-visible .frame,svg [role=button]:hover .frame{stroke:var(--text);stroke-width:2.5}
svg [role=button]:focus-visible .pill,svg [role=button]:hover .pill,svg .warm .pill{stroke:var(--text);stroke-width:2.5}
svg .row:focus-visible .hit,svg .row:hover .hit,svg .row.chosen .hit,svg .row.warm .hit{fill:var(--chosen)}
svg .face.chosen .frame,svg .arrow.chosen .pill{fill:var(--chosen);stroke:var(--text);stroke-width:2.5}
svg .wire.warm,svg .wire.near{opacity:1}
svg .wire.warm .line,svg .wire.chosen .line{stroke-width:3.5}
svg.focused .wire:not(.near):not(.warm){opacity:.1}
svg.focused .box:not(.near),svg.focused .arrow:not(.row):not(.near):not(.warm){opacity:.3}
.ghost{fill:none;stroke:var(--some);stroke-width:1.6;stroke-dasharray:5 4;pointer-events:none}
.ghost.all{stroke:var(--all)}
button:focus-visible,input:focus-visible,summary:focus-visible{outline:2px solid var(--some);outline-offset:1px}
@media (max-width:760px){main{flex-direction:column}#panel{width:auto;max-height:45%;border-left:0;border-top:1px solid var(--border)}}
@media (prefers-reduced-motion:no-preference){.wire,.box,.arrow{transition:opacity .12s}}`
