import { STYLE } from "../logs/html/style.ts";

/** The report's style, and what only the page has. */
export const PAGE_STYLE = `${STYLE}
:root {
  --ok: #0969da; --timeout: #cf222e; --error: #8250df; --cancelled: #57606a;
  --good: #1a7f37; --busy: #0969da; --warn: #9a6700; --bad: #cf222e;
  --series-1: #0969da; --series-2: #bc4c00; --series-3: #1a7f37; --series-4: #8250df;
  --series-5: #9a6700; --series-6: #bf3989; --series-7: #1b7c83; --series-8: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ok: #79c0ff; --timeout: #ff7b72; --error: #d2a8ff; --cancelled: #9198a1;
    --good: #56d364; --busy: #79c0ff; --warn: #d29922; --bad: #ff7b72;
    --series-1: #79c0ff; --series-2: #ffa657; --series-3: #56d364; --series-4: #d2a8ff;
    --series-5: #d29922; --series-6: #f778ba; --series-7: #39c5cf; --series-8: #9198a1;
  }
}
h1 { margin-bottom: .2rem; } h2 { margin-bottom: .5rem; }
#health { font-size: 1.125rem; font-weight: 600; margin: 1rem 0; padding: .5rem .75rem; border-left: .3rem solid var(--soft); background: var(--head); }
#health.good { border-color: var(--good); } #health.bad { border-color: var(--bad); }
#connection.lost { color: var(--bad); font-weight: 600; }
table { width: 100%; } th, td { white-space: nowrap; } th.number { text-align: right; }
.worker { padding-left: 1.25rem; }
.state::before { content: "●"; content: "●" / ""; margin-right: .35rem; color: var(--busy); }
.state.ready::before { color: var(--good); }
.state.backoff::before, .state.draining::before, .state.stopped::before { content: "▲"; content: "▲" / ""; color: var(--warn); }
.state.failed::before, .state.blocked::before { content: "✖"; content: "✖" / ""; color: var(--bad); }
.hot { color: var(--bad); font-weight: 600; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
.plots figure { margin: 0; min-width: 0; }
.plot { min-height: 240px; overflow: hidden; } .now { color: var(--soft); font-size: .875rem; margin: .25rem 0; }
.choices { display: flex; gap: 1rem; align-items: center; flex-wrap: wrap; }
select, button, input { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft); border-radius: .25rem; padding: .15rem .4rem; }
.lines { max-height: 24rem; overflow: auto; background: var(--head); }
ol { margin: 0; padding: .5rem .75rem; list-style: none; }
li { font: .8125rem/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; border-bottom: 1px solid var(--line); }
li.warning { border-left: 3px solid var(--warn); padding-left: .5rem; }
li.error, li.fatal { border-left: 3px solid var(--bad); padding-left: .5rem; }
ol.warning .info, ol.error .info, ol.error .warning { display: none; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
