using System.Numerics;

namespace InstructTune.Modeling.Templates;

/// <summary>What Python calls the types of values.</summary>
internal static class TypeNames
{
    public static string Of(object? value) => value switch
    {
        null => "NoneType",
        bool => "bool",
        BigInteger => "int",
        double => "float",
        string => "str",
        Markup => "Markup",
        PyList => "list",
        PyTuple => "tuple",
        PyDict => "dict",
        PyRange => "range",
        PyGenerator generator => generator.TypeName,
        DictView view => view.TypeName,
        Undefined => "Undefined",
        PyNamespace => "Namespace",
        PyMacro => "Macro",
        LoopState => "LoopContext",
        _ => "function",
    };
}
