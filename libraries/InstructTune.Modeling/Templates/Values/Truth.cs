using System.Numerics;

namespace InstructTune.Modeling.Templates;

internal static class Truth
{
    public static bool Of(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        BigInteger number => !number.IsZero,
        double real => real != 0,
        string text => text.Length > 0,
        Markup markup => markup.Text.Length > 0,
        PyList list => list.Items.Count > 0,
        PyTuple tuple => tuple.Items.Count > 0,
        PyDict dict => dict.Count > 0,
        PyRange range => range.Count > 0,
        DictView view => view.Owner.Count > 0,
        _ => true,
    };
}
