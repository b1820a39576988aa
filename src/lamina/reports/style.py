"""How the page looks: light or dark as the reader has chosen, and light on paper."""

from __future__ import annotations

from lamina.reports.palette import DARK, NAMES

_LIGHT = ";".join(f"{variable}:{color}" for color, variable in NAMES.items())
_DARK = ";".join(f"{variable}:{DARK[color]}" for color, variable in NAMES.items())

STYLESHEET = f"""
:root{{color-scheme:light;--paper:#fefefe;--ink:#24292f;--soft:#626b75;--line:#d9dee3;
--card:#f4f6f8;--warn:#c9661a;--well:#2c8c5a;{_LIGHT}}}
@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;--paper:#16191d;
--ink:#e3e7eb;--soft:#a0a9b3;--line:#363c44;--card:#1f242a;--warn:#f0a05a;--well:#5cc08c;{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}}
main{{max-width:1320px;margin:0 auto;padding:24px clamp(14px,4vw,48px) 48px}}
h1{{font-size:clamp(1.4rem,4vw,2rem);line-height:1.2;margin:.4em 0;overflow-wrap:anywhere}}
h2{{font-size:1.3rem;margin:2.2em 0 .7em;padding-bottom:.25em;border-bottom:1px solid var(--line)}}
h3{{font-size:1rem;margin:1.6em 0 .6em}}
p{{margin:.4em 0;max-width:75ch;overflow-wrap:anywhere}}
.facts{{display:grid;grid-template-columns:max-content 1fr;gap:2px 16px;margin:0;font-size:.93rem}}
.facts dt{{color:var(--soft)}}.facts dd{{margin:0;overflow-wrap:anywhere}}
.cards{{display:grid;grid-template-columns:repeat(auto-fit,minmax(130px,1fr));gap:12px;
margin:24px 0 0;max-width:900px}}
.cards div{{background:var(--card);border-radius:10px;padding:12px 16px}}
.cards b{{display:block;font-size:1.45rem;font-variant-numeric:tabular-nums}}
.cards span,footer,figcaption{{color:var(--soft);font-size:.88rem}}
.finding{{border-left:4px solid var(--warn);background:var(--card);border-radius:0 10px 10px 0;
padding:10px 16px;margin:12px 0;max-width:900px}}
.finding h3{{margin:0}}.finding h3 span{{font-weight:400;color:var(--soft);overflow-wrap:anywhere}}
.well{{border-left:4px solid var(--well);background:var(--card);border-radius:0 10px 10px 0;
padding:10px 16px;max-width:900px}}
.pictures{{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,340px),1fr));
gap:22px 28px;align-items:start;margin:14px 0}}
figure{{margin:0;min-width:0}}figcaption{{margin-bottom:4px;font-weight:600;
overflow-wrap:anywhere}}
svg{{display:block;width:100%;height:auto;overflow:visible}}
.wide,.scroll{{overflow-x:auto;margin:14px 0}}.wide svg{{min-width:600px}}
table{{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}}
th,td{{padding:4px 12px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}}
th{{color:var(--soft);font-weight:600}}th:first-child,td:first-child{{text-align:left;
padding-left:0}}
footer{{margin-top:48px}}
@media print{{main{{max-width:none;padding:0}}body{{font-size:11pt}}
figure,.finding,tr{{break-inside:avoid}}h2,h3{{break-after:avoid}}
.pictures{{grid-template-columns:repeat(2,1fr)}}.wide svg{{min-width:0}}
table{{font-size:8.5pt}}th,td{{padding:3px 7px;white-space:normal}}.scroll{{overflow:visible}}
.cards div,.finding,.well{{print-color-adjust:exact;-webkit-print-color-adjust:exact}}}}
""".replace("\n", "")
"""The style of the whole page."""
