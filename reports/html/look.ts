/** How the page looks: light and dark as the reader's system says, nothing fetched. */
export const STYLE = `
:root{color-scheme:light dark;--ink:light-dark(#1b1f24,#e6edf3);--soft:light-dark(#57606a,#9198a1);--line:light-dark(#d0d7de,#3d444d);--paper:light-dark(#fff,#0d1117);--panel:light-dark(#f6f8fa,#161b22);--bad:light-dark(#b3261e,#ff8b83);--unsure:light-dark(#7a5300,#e3b341);--good:light-dark(#1a6b35,#57ab5a);--link:light-dark(#0550ae,#6cb6ff)}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
a{color:var(--link)}
h1{font-size:1.6rem;margin:0 0 .25rem}
h2{font-size:1.2rem;margin:0;display:inline}
code,pre{font:.875rem/1.45 ui-monospace,monospace}
pre{background:var(--panel);border:1px solid var(--line);border-radius:6px;padding:.6rem;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;margin:.5rem 0}
th,td{border:1px solid var(--line);padding:.3rem .6rem;text-align:left;vertical-align:top;overflow-wrap:break-word;max-width:32rem}
article td:nth-child(n+3){overflow-wrap:anywhere}
thead th{white-space:nowrap}
.scroll{overflow-x:auto}
.violated,.fault{color:var(--bad)}.undecided,.gap{color:var(--unsure)}.holds{color:var(--good)}.soft{color:var(--soft)}
details.result{border-top:1px solid var(--line);padding:.75rem 0}
summary{cursor:pointer}
article{border:1px solid var(--line);border-left:4px solid currentColor;border-radius:6px;margin:.75rem 0;padding:.5rem .9rem;content-visibility:auto;contain-intrinsic-size:auto 12rem}
article>*{color:var(--ink)}
article .soft{color:var(--soft)}
article:target{outline:3px solid var(--link)}
article.waived{color:var(--soft)}
form{position:sticky;top:0;background:var(--paper);padding:.6rem 0;display:flex;gap:1rem;flex-wrap:wrap;align-items:center;z-index:1}
input[type=search]{font:inherit;padding:.35rem .6rem;min-width:18rem;border:1px solid var(--soft);border-radius:6px;background:var(--paper);color:var(--ink)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
[hidden]{display:none!important}
@media print{form,.skip{display:none}article{content-visibility:visible}}
`;

/** Filter and deep links; without it everything is there and can be read. It only hides, and never writes text but a number. */
export const SCRIPT = `
(()=>{
const q=document.getElementById("q"),boxes=[...document.querySelectorAll("form input[type=checkbox]")],said=document.getElementById("said");
const items=[...document.querySelectorAll("article")].map(el=>({el,result:el.closest("details"),is:el.dataset.outcome})).map(i=>({...i,text:(i.result.querySelector("h2").textContent+" "+i.el.textContent).toLowerCase()}));
function show(){
  const words=q.value.toLowerCase().split(/\\s+/).filter(Boolean),on=new Set(boxes.filter(b=>b.checked).map(b=>b.value)),full=new Set();let n=0;
  for(const i of items){const yes=on.has(i.is)&&words.every(w=>i.text.includes(w));if(i.el.hidden===yes)i.el.hidden=!yes;if(yes){n++;full.add(i.result)}}
  if(words.length)for(const d of document.querySelectorAll("details.result"))d.open=full.has(d);
  said.textContent=n+" of "+items.length+" shown";
}
function go(){
  const hash=location.hash.slice(1);
  if(hash.startsWith("q=")){try{q.value=decodeURIComponent(hash.slice(2))}catch{}show();return}
  const el=hash&&document.getElementById(hash);
  if(el){if(el.hidden){q.value="";for(const b of boxes)b.checked=true;show()}const d=el.closest("details");if(d)d.open=true;el.scrollIntoView();if(el.tabIndex>=0||el.hasAttribute("tabindex"))el.focus()}
}
let t;q.addEventListener("input",()=>{clearTimeout(t);t=setTimeout(()=>{show();history.replaceState(null,"",q.value?"#q="+encodeURIComponent(q.value):location.pathname+location.search)},80)});
for(const b of boxes)b.addEventListener("change",show);
document.querySelector("form").addEventListener("submit",e=>e.preventDefault());
addEventListener("keydown",e=>{if(e.key==="/"&&document.activeElement!==q){e.preventDefault();q.focus()}});
addEventListener("hashchange",go);show();go();
})();
`;
