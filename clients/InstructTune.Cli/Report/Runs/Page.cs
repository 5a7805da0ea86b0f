using System.Net;
using System.Text;

namespace InstructTune.Cli.Report.Runs;

/// <summary>One HTML file that fetches nothing and follows the reader's light or dark setting.</summary>
internal sealed class Page
{
    private const string Style =
        """
        :root { color-scheme: light dark; --fg: #1c2024; --dim: #5b6470; --bg: #fff; --soft: #f3f5f8; --rule: #d6dbe1; --c0: #0b62a4; --c1: #b34700; --c2: #0a7a50; --c3: #8a3ea8; --c4: #8a6d00; }
        @media (prefers-color-scheme: dark) { :root { --fg: #e6e9ed; --dim: #9aa4b0; --bg: #14171a; --soft: #1f2429; --rule: #363d45; --c0: #6bb3f0; --c1: #f0965a; --c2: #5cc79a; --c3: #cf9be6; --c4: #d8bd50; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--fg); background: var(--bg); max-width: 880px; margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } a { color: var(--c0); }
        .sub { color: var(--dim); margin-top: 0; } .facts { display: flex; flex-wrap: wrap; gap: .6rem; padding: 0; list-style: none; }
        .facts li { background: var(--soft); border-radius: 6px; padding: .4rem .8rem; flex: 1 1 auto; } .facts b { display: block; font-size: 1.1rem; } .facts span { color: var(--dim); font-size: .85rem; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; margin: .4rem 0 1rem; width: 100%; } th, td { text-align: left; padding: .3rem .9rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top; }
        thead th { color: var(--dim); font-weight: 600; } td { overflow-wrap: anywhere; } td:first-child, th:first-child { overflow-wrap: normal; } td.pre { white-space: pre-wrap; }
        figure { margin: 0 0 1.4rem; } figcaption { font-weight: 600; margin-bottom: .2rem; } .unit { color: var(--dim); font-weight: 400; font-size: .9rem; }
        svg { width: 100%; height: auto; font: 12px system-ui, sans-serif; } svg text { fill: var(--dim); } svg .stage { fill: var(--fg); font-weight: 600; } .grid { stroke: var(--rule); } .axis { stroke: var(--dim); }
        .border { stroke: var(--dim); stroke-dasharray: 4 3; } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); } .c2 { stroke: var(--c2); } .c3 { stroke: var(--c3); } .c4 { stroke: var(--c4); }
        .dot { stroke-width: 1.5; fill: var(--bg); } .key { font-weight: 400; font-size: .9rem; margin-left: 1rem; } .key::before { content: ""; display: inline-block; width: 1.1em; height: 3px; margin-right: .4em; vertical-align: middle; background: currentColor; }
        .k0 { color: var(--c0); } .k1 { color: var(--c1); } .k2 { color: var(--c2); } .k3 { color: var(--c3); } .k4 { color: var(--c4); } details { margin: .6rem 0; } summary { cursor: pointer; } pre { background: var(--soft); padding: .8rem; overflow-x: auto; font-size: .85rem; }
        """;

    private readonly StringBuilder _body = new();

    public Page Raw(string html)
    {
        _body.AppendLine(html);
        return this;
    }

    public Page Heading(string text) => Raw($"<h2>{E(text)}</h2>");

    public Page Paragraph(string text) => Raw($"<p>{E(text)}</p>");

    public Page Facts(IEnumerable<(string Name, string Value)> facts) =>
        Raw($"<ul class=\"facts\">{string.Concat(facts.Select(fact => $"<li><b>{E(fact.Value)}</b><span>{E(fact.Name)}</span></li>"))}</ul>");

    /// <summary>A table; nothing where there are no rows.</summary>
    public Page Table(string caption, IReadOnlyList<string> headers, IEnumerable<IReadOnlyList<string>> rows, bool keepsLines = false)
    {
        var cell = keepsLines ? "<td class=\"pre\">" : "<td>";
        var text = string.Concat(rows.Select(row => $"<tr>{string.Concat(row.Select(value => $"{cell}{E(value)}</td>"))}</tr>"));
        return text.Length == 0 ? this : Raw(
            $"<div class=\"scroll\"><table aria-label=\"{E(caption)}\"><thead><tr>{string.Concat(headers.Select(header => $"<th scope=\"col\">{E(header)}</th>"))}</tr></thead><tbody>{text}</tbody></table></div>");
    }

    /// <summary>A text that opens on demand.</summary>
    public Page Details(string summary, string text) => Raw($"<details><summary>{E(summary)}</summary><pre>{E(text)}</pre></details>");

    public string ToHtml(string title) =>
        $"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{E(title)}</title>\n<style>\n{Style}\n</style></head><body><main>\n{_body}</main></body></html>\n";

    internal static string E(string text) => WebUtility.HtmlEncode(text);
}
