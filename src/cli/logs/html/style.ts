/** Colours are named once; the plots read them from here. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --text: #1b1f24; --page: #fff; --soft: #57606a; --line: #d0d7de; --head: #f6f8fa; --link: #0550ae;
  --retried: #9a6700; --failed: #cf222e; --crashed: #8250df; --cleanup: #1a7f37; --ended: #bc4c00; --other: #57606a;
  --answered: #0969da; --p50: #1a7f37; --p90: #9a6700; --p99: #cf222e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --page: #0d1117; --soft: #9198a1; --line: #3d444d; --head: #151b23; --link: #79c0ff;
    --retried: #d29922; --failed: #ff7b72; --crashed: #d2a8ff; --cleanup: #56d364; --ended: #ffa657; --other: #9198a1;
    --answered: #79c0ff; --p50: #56d364; --p90: #d29922; --p99: #ff7b72;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.2rem; margin-top: 2rem; }
header p, footer { color: var(--soft); margin: .2rem 0; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: 1rem; font-size: .875rem; }
.skip { position: absolute; left: -999px; } .skip:focus { position: static; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
figure { margin: 1rem 0; } figcaption { font-weight: 600; }
.plot { min-height: 1px; }
.table { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: .875rem; min-width: 30rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0; text-align: left; vertical-align: top; font-weight: 400; }
thead th { font-weight: 600; background: var(--head); }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
pre { overflow-x: auto; background: var(--head); padding: .75rem; font-size: .8125rem; }
details { margin: .5rem 0; } summary { cursor: pointer; overflow-wrap: anywhere; }
.u-legend { color: var(--text); font-size: .8125rem; }
@media (prefers-reduced-motion: reduce) { * { scroll-behavior: auto; } }
`;
