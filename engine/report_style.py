"""How a report looks: light and dark, wide and narrow, on paper."""

STYLE = """
:root { color-scheme: light dark; --back: #fbfbfb; --text: #111111; --quiet: #5c5c5c;
  --border: #d6d6d6; }
@media (prefers-color-scheme: dark) {
  :root { --back: #161616; --text: #ececec; --quiet: #a8a8a8; --border: #3a3a3a; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1200px; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0.5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; }
p { margin: 0.4rem 0; max-width: 75ch; }
ul { margin: 0.4rem 0; padding-left: 1.25rem; }
.quiet { color: var(--quiet); }
.hidden { position: absolute; }
svg.side, svg.stacked, .pair svg { display: block; width: 100%; height: auto; }
svg.side, svg.stacked { max-height: 90vh; }
svg.stacked { display: none; }
line { vector-effect: non-scaling-stroke; stroke-linecap: round; }
.counts .rim { stroke: #141414; stroke-width: 3.5; stroke-opacity: 0.55; }
.counts .core { stroke: #ffd23c; stroke-width: 1.5; }
.other .rim { stroke: #141414; stroke-width: 2; stroke-opacity: 0.4; stroke-dasharray: 4 5; }
.other .core { stroke: #ffffff; stroke-width: 0.8; stroke-dasharray: 4 5; }
g.counts:hover .core { stroke: #ffffff; stroke-width: 3; }
figure { margin: 0; }
figcaption { margin: 0.3rem 0; max-width: 75ch; }
img { display: block; max-width: 100%; height: auto; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 320px), 1fr));
  gap: 1rem; align-items: start; }
.pair img { width: 100%; }
.tile { width: 72px; max-width: none; }
.scale { display: inline-block; width: 8rem; height: 0.8rem; vertical-align: middle;
  border: 1px solid var(--border); print-color-adjust: exact; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
th, td { padding: 0.3rem 0.75rem 0.3rem 0; text-align: right; font-weight: normal;
  border-bottom: 1px solid var(--border); vertical-align: middle; }
.wide th, .wide td { white-space: nowrap; }
.wide th[colspan] { white-space: normal; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--quiet); font-size: 0.875rem; vertical-align: bottom; }
tfoot th, tfoot td { font-weight: 600; border-bottom: 0; }
table.sum { width: 100%; max-width: 46rem; overflow-wrap: anywhere; }
table.sum td { white-space: nowrap; }
@media (max-width: 640px) {
  svg.side { display: none; }
  svg.stacked { display: block; max-height: none; }
  main { padding: 0.75rem; }
  .tile { width: 48px; }
  .wide { font-size: 0.875rem; }
  th, td { padding-right: 0.4rem; }
}
@media print {
  .tile { width: 44px; }
  :root { --back: #ffffff; --text: #000000; --quiet: #444444; --border: #bbbbbb; }
  main { max-width: none; padding: 0; }
  svg.side { display: block; max-height: none; }
  svg.stacked { display: none; }
  figure, tr, svg { break-inside: avoid; }
  h2 { break-after: avoid; }
  .wide { overflow: visible; }
}
"""
