using System.Collections.Frozen;
using System.Numerics;

namespace InstructTune.Modeling.Templates;

internal delegate bool TestFunction(object? value, CallArguments arguments, Run run);

/// <summary>The tests of `is`, by name.</summary>
internal static class TestTable
{
    private static readonly FrozenDictionary<string, TestFunction> _tests = new Dictionary<string, TestFunction>(StringComparer.Ordinal)
    {
        ["defined"] = Plain(value => value is not Undefined),
        ["undefined"] = Plain(value => value is Undefined),
        ["none"] = Plain(value => value is null),
        ["boolean"] = Plain(value => value is bool),
        ["true"] = Plain(value => value is true),
        ["false"] = Plain(value => value is false),
        ["integer"] = Plain(value => value is BigInteger),
        ["float"] = Plain(value => value is double),
        ["number"] = Plain(Numbers.IsNumber),
        ["string"] = Plain(value => value is string or Markup),
        ["mapping"] = Plain(value => value is PyDict),
        ["sequence"] = Plain(value => value is string or Markup or PyList or PyTuple or PyDict or PyRange or Undefined),
        ["iterable"] = Plain(Sequences.IsIterable),
        ["callable"] = Plain(value => value is ICallable),
        ["escaped"] = Plain(value => value is Markup),
        ["lower"] = (value, _, run) => TextKinds.IsLower(run.Print(value)),
        ["upper"] = (value, _, run) => TextKinds.IsUpper(run.Print(value)),
        ["odd"] = (value, _, run) => Remainder(value, 2, run) is var rest && Equality.Of(rest, BigInteger.One, run.Meter),
        ["even"] = (value, _, run) => Equality.Of(Remainder(value, 2, run), BigInteger.Zero, run.Meter),
        ["divisibleby"] = (value, a, run) => Equality.Of(Arithmetic.Of(value, "%", a.Bind("divisibleby", 1, "num").At(0), run), BigInteger.Zero, run.Meter),
        ["sameas"] = (value, a, _) => Same(value, a.Bind("sameas", 1, "other").At(0)),
        ["in"] = (value, a, run) => Membership.Of(value, a.Bind("in", 1, "seq").At(0), run.Meter),
        ["filter"] = (value, _, _) => value is string name && FilterTable.Contains(name),
        ["test"] = (value, _, _) => value is string name && Contains(name),
        ["eq"] = Equal,
        ["equalto"] = Equal,
        ["=="] = Equal,
        ["ne"] = (value, a, run) => !Equal(value, a, run),
        ["!="] = (value, a, run) => !Equal(value, a, run),
        ["lt"] = Ordered("<"),
        ["lessthan"] = Ordered("<"),
        ["<"] = Ordered("<"),
        ["le"] = Ordered("<="),
        ["<="] = Ordered("<="),
        ["gt"] = Ordered(">"),
        ["greaterthan"] = Ordered(">"),
        [">"] = Ordered(">"),
        ["ge"] = Ordered(">="),
        [">="] = Ordered(">="),
    }.ToFrozenDictionary(StringComparer.Ordinal);

    public static bool Contains(string name) => _tests.ContainsKey(name);

    public static string Missing(string name) => $"No test named '{name}'.";

    public static bool Apply(string name, object? value, CallArguments arguments, Run run) => _tests.TryGetValue(name, out var test)
        ? test(value, arguments, run)
        : throw new TemplateException(TemplateFault.Runtime, Missing(name));

    private static TestFunction Plain(Func<object?, bool> test) => (value, arguments, _) =>
    {
        arguments.Bind("this test", 0);
        return test(value);
    };

    private static bool Equal(object? value, CallArguments arguments, Run run) =>
        Equality.Of(value, arguments.Bind("eq", 1, "other").At(0), run.Meter);

    private static TestFunction Ordered(string comparison) => (value, arguments, run) =>
        Ordering.Holds(value, comparison, arguments.Bind("a comparison", 1, "other").At(0), run.Meter);

    private static object? Remainder(object? value, int divisor, Run run) => Arithmetic.Of(value, "%", (BigInteger)divisor, run);

    private static bool Same(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (bool a, bool b) => a == b,
        (BigInteger a, BigInteger b) => a == b && BigInteger.Abs(a) <= 256,
        (string a, string b) => a == b,
        _ => ReferenceEquals(left, right),
    };
}
