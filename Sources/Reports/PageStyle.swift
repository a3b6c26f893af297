/// The one look of all pages: a type scale, colours that the colour-blind can tell apart (Okabe & Ito 2008), light and dark, from a
/// phone to a wide screen.
public enum PageStyle {
    public static let css = """
        :root{color-scheme:light dark;--ink:#1d1d1f;--soft:#5f6368;--paper:#fff;--panel:#f6f6f4;--line:#d9d9d6;--link:#0060a8;
        --c0:#0072b2;--c1:#c2500a;--c2:#00805f;--c3:#b0508a;--c4:#7a6200;--c5:#5b5bd6;--low:0 114 178;--high:222 105 0}
        @media(prefers-color-scheme:dark){:root{--ink:#ececec;--soft:#a5a8ad;--paper:#131416;--panel:#1d1f22;--line:#3a3d42;
        --link:#7cc0f5;--c0:#56b4e9;--c1:#f08a3c;--c2:#35c89a;--c3:#e08cc0;--c4:#d9c04a;--c5:#a9a5ff;--low:40 130 220;--high:222 105 20}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif}
        main{max-width:66rem;margin:0 auto;padding:clamp(1rem,4vw,2.5rem) clamp(1rem,4vw,2rem) 4rem}
        h1{font-size:clamp(1.4rem,1.1rem + 1.6vw,2rem);line-height:1.2;margin:0 0 .4em;overflow-wrap:anywhere;font-weight:650}
        h2{font-size:1.25rem;line-height:1.3;margin:2.4em 0 .5em;font-weight:650;overflow-wrap:anywhere}
        h3{font-size:1rem;margin:1.6em 0 .4em;overflow-wrap:anywhere}
        p{margin:.5em 0;max-width:44rem;overflow-wrap:anywhere}
        a{color:var(--link)}.hint{color:var(--soft);font-size:.9rem}.lead{font-size:1.1rem}
        dl.facts{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,9.5rem),1fr));gap:.9rem 1.6rem;margin:1.2rem 0;padding:1rem 1.2rem;
        background:var(--panel);border-radius:.6rem}
        dl.facts div.wide{grid-column:span 2}dt{font-size:.8rem;color:var(--soft)}
        dd{margin:0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
        table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.9rem}
        th,td{text-align:start;padding:.25em 1.2em .25em 0;vertical-align:top;border-bottom:1px solid var(--line);font-weight:400}
        th[scope=col],tr:first-child th{color:var(--soft);font-size:.8rem}
        .scroll{overflow-x:auto}.chart .scroll{max-height:24rem}details{margin:.6em 0}summary{cursor:pointer;color:var(--link)}
        pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:1rem 1.2rem;border-radius:.6rem;font:.9rem/1.5 ui-monospace,monospace}
        select,input,button{font:inherit;color:inherit;background:var(--paper);border:1px solid var(--soft);border-radius:.4rem;padding:.2em .5em;max-width:100%}
        fieldset{border:0;padding:0;margin:1em 0;display:flex;flex-wrap:wrap;gap:.4em 1.2em;align-items:center}legend{float:left;margin-right:1em;color:var(--soft)}
        :focus-visible{outline:2px solid var(--link);outline-offset:2px}
        .plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));gap:1rem 2.5rem}
        .plots .wide{grid-column:1/-1}
        .chart{margin:1.2rem 0;min-width:0}figcaption{font-weight:600}
        .key{list-style:none;margin:.3em 0;padding:0;display:flex;flex-wrap:wrap;gap:.1em 1.2em;font-size:.9rem}
        .key i{display:inline-block;width:1.3em;height:0;border-top:3px solid;vertical-align:middle;margin-right:.5em}
        .key i.points,.key i.joined{width:.6em;height:.6em;border:0;background:currentColor;border-radius:50%}
        .frame{display:grid;grid-template-columns:auto;margin:.2em 0}.yt,.xt{font-size:.8rem;color:var(--soft)}.xt{text-align:end;margin-top:1.5em}
        .area{position:relative;height:15rem;margin:.5em .8em 0 3.8em;border-left:1px solid var(--soft);border-bottom:1px solid var(--soft)}
        .wide .area{height:19rem}
        .area svg{position:absolute;inset:0;width:100%;height:100%;overflow:hidden;display:block}
        .area svg *{vector-effect:non-scaling-stroke;fill:none;stroke:currentColor}
        .area span{position:absolute;font-size:.75rem;line-height:1;color:var(--soft);white-space:nowrap;font-variant-numeric:tabular-nums}
        .area span.y{right:calc(100% + .5em);transform:translateY(-50%)}.area span.x{top:calc(100% + .5em);transform:translateX(-50%)}
        .area svg .grid{stroke:var(--line)}.area svg .limit{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:2 3}.key i.limit{border-top-style:dashed;border-color:var(--soft)}
        .area svg .line,.area svg .bar{stroke-width:2}.area svg .joined{stroke-width:1.5;stroke-dasharray:4 3}
        .area svg .faint{stroke-width:1;opacity:.35}.area svg .dot{stroke-width:7;stroke-linecap:round}.cloud svg .dot{stroke-width:5;opacity:.6}
        .area .mark{width:1px;top:0;bottom:0;background:var(--soft);pointer-events:none}
        .read{font-size:.85rem;color:var(--soft);min-height:1.3em;margin:.2em 0 .2em 3.8em;font-variant-numeric:tabular-nums}
        .c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}.c4{color:var(--c4)}.c5{color:var(--c5)}
        @media(max-width:26rem){dl.facts div.wide{grid-column:1/-1}}
        @media print{details{display:none}.area{break-inside:avoid}}

        """

    /// Reads the rows of a chart's table by pointer and arrow keys.
    static let script = """
        for(const area of document.querySelectorAll(".area[data-xs]")){
          const figure=area.closest("figure"),read=figure.querySelector(".read"),xs=JSON.parse(area.dataset.xs);
          const rows=[...figure.querySelectorAll("tr")].map(r=>[...r.children].map(c=>c.textContent));
          const mark=area.appendChild(document.createElement("span"));mark.className="mark";mark.hidden=true;let at=0;
          const show=i=>{at=Math.max(0,Math.min(xs.length-1,i));mark.hidden=false;mark.style.left=xs[at]/10+"%";
            const row=rows[at+1];
            read.textContent=rows[0][0]+" "+row[0]+": "+row.slice(1).map((v,j)=>v&&(rows[0][j+1]+" "+v)).filter(v=>v).join("; ")};
          area.addEventListener("pointermove",e=>{const b=area.getBoundingClientRect(),x=(e.clientX-b.left)/b.width*1000;
            show(xs.reduce((best,v,i)=>Math.abs(v-x)<Math.abs(xs[best]-x)?i:best,0))});
          area.addEventListener("keydown",e=>{const d={ArrowRight:1,ArrowLeft:-1}[e.key];
            if(d){e.preventDefault();show(mark.hidden?0:at+d)}});
        }

        """
}
