using System.Runtime.CompilerServices;

namespace InstructTune.Modeling.Templates;

/// <summary>Where hostile templates are stopped: counts steps, depth and allocation of one rendering against the limits.</summary>
internal sealed class Meter(TemplateLimits limits)
{
    private long _steps;
    private long _allocated;
    private int _depth;
    private int _calls;
    private int _values;

    public TemplateLimits Limits => limits;

    public void Step(long count = 1)
    {
        _steps += count;
        if (_steps > limits.Steps || count < 0)
        {
            throw TemplateException.Limit($"the template takes more than {limits.Steps} steps");
        }
    }

    /// <summary>Before text of this length is made.</summary>
    public void Text(long characters)
    {
        if (characters > limits.TextCharacters)
        {
            throw TemplateException.Limit($"the template makes a text of more than {limits.TextCharacters} characters");
        }

        Allocate(characters);
    }

    /// <summary>Before a list of this length is made.</summary>
    public void Items(long count)
    {
        Step(1 + (count / 16));
        Allocate(count * 8);
    }

    /// <summary>Before a text is searched: the worst case of a search is the product of the lengths.</summary>
    public void Search(string text, string part) => Step(1 + ((long)text.Length * Math.Max(1, part.Length) / 4096));

    public void Enter()
    {
        Step();
        if (++_depth > limits.Depth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw TemplateException.Limit($"the template nests deeper than {limits.Depth} levels of evaluation");
        }
    }

    public void Leave() => _depth--;

    public void EnterCall()
    {
        if (++_calls > limits.Calls)
        {
            throw TemplateException.Limit($"maximum recursion depth exceeded: more than {limits.Calls} macros or recursive loops inside one another");
        }
    }

    public void LeaveCall() => _calls--;

    /// <summary>Into a list or mapping that is printed, compared or written.</summary>
    public void EnterValue()
    {
        Step();
        if (++_values > limits.ValueDepth || !RuntimeHelpers.TryEnsureSufficientExecutionStack())
        {
            throw TemplateException.Limit($"maximum recursion depth exceeded: a value nests deeper than {limits.ValueDepth} levels");
        }
    }

    public void LeaveValue() => _values--;

    private void Allocate(long units)
    {
        _allocated += units;
        if (_allocated > limits.Allocation || units < 0)
        {
            throw TemplateException.Limit($"the template makes more than {limits.Allocation} characters altogether");
        }
    }
}
