namespace InstructTune.Modeling.Templates;

/// <summary>Python's `in`.</summary>
internal static class Membership
{
    public static bool Of(object? item, object? owner, Meter meter)
    {
        switch (owner)
        {
            case string or Markup:
                var text = owner as string ?? ((Markup)owner).Text;
                var part = item as string ?? (item as Markup)?.Text
                    ?? throw (item is Undefined undefined
                        ? undefined.Used()
                        : TemplateException.Type($"'in <string>' requires string as left operand, not {TypeNames.Of(item)}"));
                meter.Search(text, part);
                return text.Contains(part, StringComparison.Ordinal);
            case PyDict dict:
                return dict.Contains(item);
            case DictView { Part: DictPart.Keys } keys:
                return keys.Owner.Contains(item);
            case PyNamespace or not (Undefined or PyList or PyTuple or PyRange or PyGenerator or DictView or LoopState):
                throw TemplateException.Type($"argument of type '{TypeNames.Of(owner)}' is not iterable");
            default:
                return Equality.Contains(Sequences.Items(owner, meter), item, meter);
        }
    }
}
